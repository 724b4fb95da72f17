import { Context } from "@temporalio/activity";
import type { Change, CommitInfo } from "../../domain/commits.js";
import { errorCode } from "../../domain/errors.js";
import { commitOrigin, fileOrigin, originPath } from "../../domain/keys.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { CommitRange, SourceAdapter } from "../../sources/source.port.js";
import type { Catalog, Ingestion, Source } from "../../stores/catalog/catalog.port.js";
import type { PlanAnswer, PlanningActivities } from "../activity-types.js";
import { BatchArchive } from "../batches.js";
import { heartbeat } from "../heartbeat.js";
import type { Ports } from "../ports.js";
import type { Discards } from "../staging/discards.js";
import { type FolderChanges, FolderTouches, folderChanges } from "./folder-changes.js";
import { openIngestion } from "./open-ingestion.js";
import type { PreparedSources } from "./prepared-sources.js";
import { readAhead } from "./read-ahead.js";

/** A batch is a hundred files and a good megabyte, so that its activities take seconds at most and memory stays bounded: six of them are held. */
const FILES_A_BATCH = 128;
const BYTES_A_BATCH = 1280 * 1024;
const COMMITS_A_BATCH = 500;
/** What a commit touched are edges of its state: a thousand of them for a vendored library. */
const PATHS_A_BATCH = 10_000;
const FOLDERS_A_BATCH = 1_000;
/** What may be staged without activities of its own, where no store depends on their time-outs. Files, commits and folders are a batch each. */
const SMALL_BATCHES = 3;
const SMALL_BYTES = 256 * 1024;

/** Where this was given up, as a local attempt is that takes long, an activity plans instead. */
function alive(): void {
	Context.current().cancellationSignal.throwIfAborted();
	heartbeat();
}

/** From a commit to batches of work: their number follows the change set. */
export function createPlanningActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "artifacts" | "limits">,
	prepared: PreparedSources,
	discards: Pick<Discards, "repeated">,
): PlanningActivities {
	const { catalog } = ports;
	const archive = new BatchArchive(ports.artifacts);

	return {
		async prepareCommit(seq) {
			const { ingestion } = await openIngestion(ports, seq);
			// What an earlier attempt brought here may have been removed since.
			prepared.forget(ingestion.source);
			await preparedHere(ingestion);
		},

		async planChanges(seq) {
			const { ingestion, base, rebuild } = await openIngestion(ports, seq);
			try {
				return await plan(seq, ingestion, base, rebuild);
			} catch (error) {
				// What was lost of the base in Lode's home may be gone from the repository too, after a force-push.
				if (rebuild || ingestion.baseCommit === undefined || errorCode(error) !== "COMMIT_NOT_FOUND") throw error;
				return await plan(seq, ingestion, base, true);
			}
		},
	};

	function preparedHere(ingestion: Ingestion) {
		return prepared.of(ingestion, heartbeat, Context.current().cancellationSignal);
	}

	/** `rebuild`: from the commit alone and what the catalog says of the base, without reading the base itself. */
	async function plan(seq: number, ingestion: Ingestion, base: Snapshot, rebuild: boolean): Promise<PlanAnswer> {
		const { source, adapter } = await preparedHere(ingestion);
		const anew = rebuild || (await logChanged(adapter, source, ingestion.baseCommit));
		// Read beside the changes: where little changed, both are mostly the start of a process.
		const log = readAhead(adapter.commits(source, anew ? undefined : ingestion.baseCommit, ingestion.commit));
		try {
			const changes = rebuild
				? rebuildChanges(catalog, base, ingestion, adapter.changes(source, undefined, ingestion.commit))
				: adapter.changes(source, ingestion.baseCommit, ingestion.commit);
			return await write(seq, ingestion, base, rebuild, changes, { pages: log.pages, anew });
		} finally {
			await log.end();
		}
	}

	async function write(
		seq: number,
		ingestion: Ingestion,
		base: Snapshot,
		rebuild: boolean,
		changes: AsyncIterable<readonly Change[]>,
		log: { readonly pages: AsyncIterable<readonly CommitRange[]>; readonly anew: boolean },
	): Promise<PlanAnswer> {
		const writer = new BatchWriter(archive, seq);
		const folders = new FolderTouches();
		const files = { added: 0, changed: 0, removed: 0 };
		for await (const page of changes) {
			for (const change of page) {
				if (change.type === "added") files.added += 1;
				else if (change.type === "modified") files.changed += 1;
				else files.removed += 1;
				if (change.type === "removed") folders.remove(change.path);
				else folders.add(change.file.path);
				await writer.addChange(change);
			}
			alive();
		}
		await writer.flushChanges();
		const fileBatches = writer.batches;

		const reachable = new Set<string>();
		for await (const page of log.pages) {
			for (const { type, commit } of page) {
				if (log.anew) reachable.add(commit.sha);
				await writer.addCommit(type, commit);
			}
			alive();
		}
		if (log.anew) await retireUnreachable(catalog, base, ingestion, reachable, writer);
		await writer.flushCommits();
		await writer.addFolders(
			await folderChanges(catalog, base, ingestion.source, folders, rebuild, ingestion.baseSeq === undefined),
		);
		const few = files.added + files.changed + files.removed <= ports.limits.smallCommitFiles;
		const brief = few && writer.bytes <= SMALL_BYTES && writer.batches <= SMALL_BATCHES;
		// Who adds a source wants to see how far it is, and a workflow answers no question while its steps are local.
		const small = brief && ingestion.baseSeq !== undefined && !discards.repeated;
		return { batches: writer.batches, fileBatches, files, ...(small && { small }), together: true };
	}
}

async function logChanged(adapter: SourceAdapter, source: Source, base: string | undefined): Promise<boolean> {
	return base !== undefined && (await adapter.logChanged?.(source, base)) === true;
}

/** Everything of the commit as if changed, and what the base has besides as removed: another recipe reads each file anew. */
async function* rebuildChanges(
	catalog: Catalog,
	base: Snapshot,
	ingestion: Ingestion,
	files: AsyncIterable<readonly Change[]>,
): AsyncIterable<readonly Change[]> {
	const seen = new Set<string>();
	for await (const page of files) {
		const entries = page.filter((change) => change.type !== "removed").map((change) => change.file);
		const known = new Set(
			(
				await catalog.entriesOf(
					base,
					ingestion.source,
					entries.map((file) => fileOrigin(file.path)),
				)
			).map((e) => e.origin),
		);
		for (const file of entries) seen.add(file.path);
		yield entries.map((file) => ({ type: known.has(fileOrigin(file.path)) ? "modified" : "added", file }) as const);
	}
	for await (const entries of entryPages(catalog, base, ingestion.source)) {
		const gone = entries
			.map((entry) => originPath(entry.origin))
			.filter((path) => path !== undefined && !seen.has(path));
		yield gone.map((path) => ({ type: "removed", path: path as string }) as const);
	}
}

async function retireUnreachable(
	catalog: Catalog,
	base: Snapshot,
	ingestion: Ingestion,
	reachable: ReadonlySet<string>,
	writer: BatchWriter,
): Promise<void> {
	for await (const entries of entryPages(catalog, base, ingestion.source)) {
		for (const { origin } of entries) {
			if (!origin.startsWith(commitOrigin(""))) continue;
			const sha = origin.slice(commitOrigin("").length);
			if (!reachable.has(sha)) await writer.removeCommit(sha);
		}
	}
}

async function* entryPages(catalog: Catalog, snapshot: Snapshot, source: string) {
	let after: string | undefined;
	for (;;) {
		const entries = await catalog.entries(snapshot, source, after, 1_000);
		const last = entries.at(-1);
		if (!last) return;
		yield entries;
		after = last.origin;
	}
}

/** Collects changes into batches and puts each into the archive; the same plan always gives the same batches. */
class BatchWriter {
	batches = 0;
	/** Of all files that there are to read. */
	bytes = 0;
	#changes: Change[] = [];
	#bytes = 0;
	#added: CommitInfo[] = [];
	#paths = 0;
	#removed: string[] = [];

	constructor(
		private readonly archive: BatchArchive,
		private readonly seq: number,
	) {}

	async addChange(change: Change): Promise<void> {
		this.#changes.push(change);
		if (change.type !== "removed") {
			this.bytes += change.file.size;
			this.#bytes += change.file.size;
		}
		if (this.#changes.length >= FILES_A_BATCH || this.#bytes >= BYTES_A_BATCH) await this.flushChanges();
	}

	async flushChanges(): Promise<void> {
		if (this.#changes.length === 0) return;
		await this.archive.putBatch(this.seq, this.batches++, { kind: "files", changes: this.#changes });
		this.#changes = [];
		this.#bytes = 0;
	}

	async addCommit(type: "added" | "removed", commit: CommitInfo): Promise<void> {
		if (type === "removed") return this.removeCommit(commit.sha);
		this.#added.push(commit);
		this.#paths += commit.paths.length;
		if (this.#added.length >= COMMITS_A_BATCH || this.#paths >= PATHS_A_BATCH) await this.flushCommits();
	}

	async removeCommit(sha: string): Promise<void> {
		this.#removed.push(sha);
		if (this.#removed.length >= COMMITS_A_BATCH) await this.flushCommits();
	}

	async flushCommits(): Promise<void> {
		if (this.#added.length + this.#removed.length === 0) return;
		await this.archive.putBatch(this.seq, this.batches++, {
			kind: "commits",
			added: this.#added,
			removed: this.#removed,
		});
		this.#added = [];
		this.#paths = 0;
		this.#removed = [];
	}

	async addFolders({ added, removed }: FolderChanges): Promise<void> {
		const total = Math.max(added.length, removed.length);
		for (let start = 0; start < total; start += FOLDERS_A_BATCH) {
			const end = start + FOLDERS_A_BATCH;
			await this.archive.putBatch(this.seq, this.batches++, {
				kind: "folders",
				added: added.slice(start, end),
				removed: removed.slice(start, end),
			});
		}
	}
}
