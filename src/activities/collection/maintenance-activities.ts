import { Context } from "@temporalio/activity";
import { errorCode, LodeError } from "../../domain/errors.js";
import { isPending } from "../../domain/indexed-groups.js";
import type { Snapshot } from "../../domain/snapshot.js";
import { archiveEvents } from "../../services/archive/archive-events.js";
import { removeChangeSets } from "../../services/archive/change-sets.js";
import { parseAt } from "../../services/at.js";
import { startReindex } from "../../services/groups/start-reindex.js";
import { hintSource } from "../../services/ingestion/hint-source.js";
import { readableSources, requireSource } from "../../services/recipe.js";
import { verifySnapshot } from "../../services/verification/verify-snapshot.js";
import { readManifest } from "../../stores/artifacts/manifest.js";
import type { Catalog, Ingestion } from "../../stores/catalog/catalog.port.js";
import type { MaintenanceActivities } from "../activity-types.js";
import { BatchArchive, ingestionPrefix } from "../batches.js";
import { workflowRuns } from "../ingestion/workflow-runs.js";
import type { PreparedSources } from "../planning/prepared-sources.js";
import type { Ports } from "../ports.js";
import type { Discards } from "../staging/discards.js";

const REFERENCES_A_PAGE = 5_000;
/** Embeddings cost money or time and little room: a revert within a month embeds nothing. */
const EMBEDDINGS_KEPT_MS = 30 * 24 * 3_600_000;

/** Garbage collection, removal of sources and the durable form of verification. */
export function createMaintenanceActivities(
	ports: Pick<
		Ports,
		"catalog" | "events" | "graph" | "vectors" | "artifacts" | "embeddingCache" | "sources" | "limits" | "temporal"
	>,
	prepared: PreparedSources,
	discards: Discards,
): MaintenanceActivities {
	const { catalog, graph, vectors, artifacts } = ports;
	const graceBefore = () => new Date(Date.now() - ports.limits.graceSeconds * 1_000).toISOString();

	/** What sources keep in the archive to read the commits that the next change set starts from. */
	async function inUse(): Promise<Set<string>> {
		const kept = new Set<string>();
		for (const source of await catalog.sources()) {
			const keep = ports.sources.of(source.kind).archived;
			if (!keep) continue;
			const [head] = await catalog.ingestions({ source: source.id, status: ["published"], limit: 1 });
			const open = await catalog.ingestions({ source: source.id, status: ["staging", "aborted"], limit: 10 });
			for (const { commit } of head ? [head, ...open] : open) for (const address of keep(commit)) kept.add(address);
		}
		return kept;
	}

	/** As ingestCommit does it: abort first, release last. */
	async function discardStale({ id, seq }: Ingestion): Promise<void> {
		await catalog.abort(seq, { code: "INGESTION_FAILED", message: `the workflow of ${id} ended without finishing` });
		await discards.all(seq);
		if (discards.repeated) {
			await Context.current().sleep(discards.repeatAfterMs);
			await discards.all(seq);
		}
		await new BatchArchive(artifacts).removeAll(seq);
		await catalog.release(seq, "abandoned");
	}

	/** A write that was held up since before the last publication must not bring back records of a source that is gone. */
	async function refuseLateWrites(source: string): Promise<void> {
		const latest = await latestSnapshot(catalog);
		if (!latest) return;
		// Read after the snapshot: what begins meanwhile has a higher seq.
		const open = await catalog.openSeqs();
		await graph.collect(source, latest, open);
		await vectors.collect(source, latest, open);
		await artifacts.collectRoots(source, latest, open);
	}

	return {
		async listSources() {
			return (await catalog.sources()).map(({ id }) => id);
		},

		archiveEvents: () => archiveEvents(ports, () => Context.current().heartbeat()),

		async hintSource(id) {
			const source = await catalog.source(id);
			if (!source || source.removing) return;
			const { taskQueue } = Context.current().info;
			await hintSource(ports.temporal, taskQueue, source);
			// Whoever changed a group may not have reached Temporal.
			if (isPending(await catalog.groups(id))) await startReindex(ports.temporal, taskQueue, id);
		},

		async collectSource(source) {
			const horizon = await catalog.moveHorizon(source, graceBefore());
			if (!horizon) return { horizon: null, records: {} };
			// What is about to go has to be archived as what was published, or the archive alone could not tell it.
			await archiveEvents(ports, () => Context.current().heartbeat());
			// The horizon stands before anything is deleted: from now on older snapshots answer SNAPSHOT_EXPIRED, never in part.
			const open = await catalog.openSeqs();
			const records = {
				graph: await graph.collect(source, horizon, open),
				vectors: await vectors.collect(source, horizon, open),
				artifacts: await artifacts.collectRoots(source, horizon, open),
				catalog: await catalog.collect(source, horizon),
			};
			return { horizon: horizon.number, records };
		},

		async collectObjects() {
			// Where only single commands are run, no schedule does it.
			await archiveEvents(ports, () => Context.current().heartbeat());
			const before = graceBefore();
			const kept = await inUse();
			let after: string | undefined;
			for (;;) {
				const page = await catalog.references(after, REFERENCES_A_PAGE);
				const last = page.at(-1);
				if (!last) break;
				for (const { artifact, mined, further } of page) {
					kept.add(artifact).add(mined);
					for (const key of further ?? []) kept.add(key);
				}
				after = last.cursor;
				Context.current().heartbeat();
			}
			const visited = new Set<string>();
			for (const { root } of await artifacts.roots()) {
				for await (const { object } of readManifest(artifacts, root.object, visited)) kept.add(object);
			}
			for (const object of visited) kept.add(object);
			const running = (await catalog.openSeqs()).map(ingestionPrefix);
			const isKept = (address: string) => kept.has(address) || running.some((prefix) => address.startsWith(prefix));
			const collected = await artifacts.collectObjects(isKept, before);
			await ports.embeddingCache.collect(new Date(Date.now() - EMBEDDINGS_KEPT_MS).toISOString());
			return collected;
		},

		async markRemoved(source) {
			await requireSource(catalog, source);
			await catalog.markRemoved(source);
		},

		async awaitIdle(source) {
			const [busy] = await catalog.ingestions({ source, status: ["staging", "aborted"], limit: 1 });
			if (busy === undefined) return;
			if (await workflowRuns(ports.temporal, busy)) {
				throw new LodeError("SOURCE_BUSY", `ingestion ${busy.id} of ${source} has not ended yet`);
			}
			// Nothing begins any more that would clean up behind it.
			await discardStale(busy);
		},

		async dropSource(id) {
			const source = await catalog.source(id);
			// The archive then knows that it is being removed, and needs its change sets no more.
			await archiveEvents(ports, () => Context.current().heartbeat());
			await refuseLateWrites(id);
			await Promise.all([graph.dropSource(id), vectors.dropSource(id), artifacts.dropSource(id)]);
			prepared.forget(id);
			if (source) await ports.sources.of(source.kind).forget(source);
			await removeChangeSets(artifacts, id);
			// Last: while the catalog knows the source, a repeat finds what is left to drop.
			await catalog.dropSource(id);
		},

		async verifySnapshot({ source, at }) {
			const sources = source === undefined ? (await readableSources(catalog)).map(({ id }) => id) : [source];
			const snapshot = await catalog.snapshot(parseAt(at, source), sources);
			const { problems } = await verifySnapshot(ports, snapshot, sources, (done) => Context.current().heartbeat(done));
			return { ok: problems.length === 0, snapshot: snapshot.number, problems: problems.length };
		},
	};
}

async function latestSnapshot(catalog: Catalog): Promise<Snapshot | undefined> {
	try {
		return await catalog.snapshot({ by: "latest" }, []);
	} catch (error) {
		if (errorCode(error) === "NOTHING_PUBLISHED") return undefined;
		throw error;
	}
}
