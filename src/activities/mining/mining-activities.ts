import { Context } from "@temporalio/activity";
import { type ChunkPlan, chunkPlans } from "../../domain/chunk-plans.js";
import type { Change, FileEntry } from "../../domain/commits.js";
import type { MinedFile, Skip } from "../../domain/mined-file.js";
import { minedKey } from "../../mining/mine-file.js";
import { decodeMinedFile, encodeMinedFile } from "../../mining/mined-file-codec.js";
import type { BatchActivities } from "../activity-types.js";
import type { BatchReader } from "../batch-records.js";
import { BatchArchive, type MinedBatch } from "../batches.js";
import { heartbeat } from "../heartbeat.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { PreparedSources } from "../planning/prepared-sources.js";
import type { Ports } from "../ports.js";
import { isOversized, oversizedFile } from "./oversized-file.js";

/** Archives and mines the files of a batch. Bytes and mined files carry no seq: only references to them do. */
export function createMiningActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "artifacts" | "miner" | "limits" | "ensureRoom">,
	prepared: PreparedSources,
	reader: Pick<BatchReader, "remember">,
): Pick<BatchActivities, "mineBatch"> {
	const { artifacts } = ports;
	const archive = new BatchArchive(artifacts);

	return {
		async mineBatch(ref) {
			const { seq, index } = ref;
			const { ingestion, groups } = await openIngestion(ports, seq);
			const context = Context.current();
			const { source, adapter } = await prepared.of(ingestion, heartbeat, context.cancellationSignal);
			const batch = await archive.batch(seq, index);
			const changes: readonly Change[] = batch.kind === "files" ? batch.changes : [];
			const files = changes.filter((change) => change.type !== "removed").map((change) => change.file);
			const minings = await Promise.all(
				chunkPlans(groups).map(async (plan): Promise<Mining> => {
					const keyOf = once(({ blob, path, mode }: FileEntry) =>
						minedKey(`${source.kind}:${blob}`, path, mode, source.id, plan.settings, ports.plugins?.of(path)),
					);
					const wanted = files.filter(({ path }) => plan.wants(path));
					const mined = new Map((await reusable(wanted, keyOf)).map(({ file, mined }) => [file.path, mined]));
					const missing = new Set(wanted.filter(({ path }) => !mined.has(path)));
					return { plan, keyOf, mined, missing };
				}),
			);
			const { cancellationSignal } = context;
			const fresh = files.filter((file) => minings.some(({ missing }) => missing.has(file)));
			const readable: { file: FileEntry; bytes: Uint8Array }[] = [];
			await ports.ensureRoom?.(fresh.reduce((sum, { size }) => sum + size, 0));
			const options = { maxBytes: ports.limits.maxFileBytes, signal: cancellationSignal };
			for await (const { file, bytes } of adapter.read(source, ingestion.commit, fresh, options)) {
				if (bytes !== undefined) readable.push({ file, bytes });
				else if (file.mode === "submodule") readable.push({ file, bytes: new Uint8Array() });
				else {
					const content = await adapter.stream(source, ingestion.commit, file);
					const oversized = await oversizedFile(artifacts, content, source.id, file);
					for (const { mined, missing } of minings) if (missing.has(file)) mined.set(file.path, oversized);
				}
			}
			const stored = artifacts.put(readable.filter(({ file }) => file.mode !== "submodule").map(({ bytes }) => bytes));
			// Told by what waits for it below, or not at all where mining failed first.
			stored.catch(() => undefined);
			try {
				for (const { plan, keyOf, mined, missing } of minings) {
					const inputs = readable.filter(({ file }) => missing.has(file));
					const made = await ports.miner.mine(
						inputs.map(({ file, bytes }) => ({ source: source.id, path: file.path, mode: file.mode, bytes })),
						plan.settings,
						cancellationSignal,
					);
					for (const file of made) mined.set(file.path, file);
					// The bytes first: a mined file must never outlive a crash that its artifact did not.
					await stored;
					await Promise.all(
						[...missing].map((file) =>
							artifacts.putDerived(keyOf(file), encodeMinedFile(mined.get(file.path) as MinedFile)),
						),
					);
				}
			} finally {
				// Nothing is written any more when the activity has ended.
				await Promise.allSettled([stored]);
			}
			// Also where there was nothing to mine.
			await stored;
			const listing = { files: files.map((file) => listed(file, minings)) };
			await archive.putMined(seq, index, listing);
			cancellationSignal.throwIfAborted();
			reader.remember(ref, changes, listing, formsOf(files, minings));
			return {
				files: files.length,
				failed: [...(minings[0]?.mined.values() ?? [])].filter((file) => file.skips.some(isFailure)).length,
				chunks: minings.reduce((sum, { plan, mined }) => sum + chunksOf(plan, mined), 0),
			};
		},
	};

	/** Files that were mined before and whose bytes are still archived (and are renewed by being asked for). */
	async function reusable(files: readonly FileEntry[], keyOf: (file: FileEntry) => string) {
		const found = await Promise.all(
			files.map(async (file) => {
				const bytes = await artifacts.getDerived(keyOf(file));
				const mined = bytes && decodeMinedFile(bytes);
				// The limit is a setting: what was left out under a lower one is mined now, and the reverse.
				// Why a plugin failed may be gone, and its version the same.
				if (!mined || mined.skips.some(({ reason }) => reason === "plugin")) return undefined;
				return isOversized(mined) === file.size > ports.limits.maxFileBytes ? { file, mined } : undefined;
			}),
		);
		const known = found.filter((entry) => entry !== undefined);
		const missing = new Set(
			await artifacts.missing(known.filter(({ file }) => file.mode !== "submodule").map(({ mined }) => mined.artifact)),
		);
		return known.filter(({ mined }) => !missing.has(mined.artifact));
	}
}

/** The files of a batch as they are mined by one plan. */
interface Mining {
	readonly plan: ChunkPlan;
	readonly keyOf: (file: FileEntry) => string;
	/** By path: what was mined before, and in the end all. */
	readonly mined: Map<string, MinedFile>;
	readonly missing: ReadonlySet<FileEntry>;
}

/** Where the mined forms of a file lie: that of the first plan, and by group those that differ from it. */
function listed(file: FileEntry, [first, ...others]: readonly Mining[]): MinedBatch["files"][number] {
	const further = others.flatMap(({ plan, keyOf }) =>
		plan.groups.filter(({ selects }) => selects(file.path)).map(({ group }) => [group.name, keyOf(file)] as const),
	);
	const mined = first?.keyOf(file) ?? "";
	return further.length === 0 ? { file, mined } : { file, mined, minedBy: Object.fromEntries(further) };
}

/** The mined forms by those keys. */
function formsOf(files: readonly FileEntry[], minings: readonly Mining[]): (key: string) => MinedFile {
	const forms = new Map<string, MinedFile>();
	for (const { keyOf, mined } of minings) {
		for (const file of files) {
			const form = mined.get(file.path);
			if (form) forms.set(keyOf(file), form);
		}
	}
	return (key) => forms.get(key) as MinedFile;
}

/** Each file's key is a hash of much, and is asked for several times. */
function once<K extends object, V>(of: (key: K) => V): (key: K) => V {
	const known = new Map<K, V>();
	return (key) => {
		const value = known.get(key) ?? of(key);
		known.set(key, value);
		return value;
	};
}

/** Chunks of all groups: what is embedded and staged. */
function chunksOf({ groups }: ChunkPlan, mined: ReadonlyMap<string, MinedFile>): number {
	let sum = 0;
	for (const { selects } of groups) for (const [path, { chunks }] of mined) if (selects(path)) sum += chunks.length;
	return sum;
}

/** A file counts as failed when something of it should have been mined and was not; being binary is no failure. */
function isFailure(skip: Skip): boolean {
	return ["parse", "timeout", "unreadable", "plugin"].includes(skip.reason);
}
