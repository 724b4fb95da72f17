import { errorCode } from "../../domain/errors.js";
import type { Seq, Snapshot } from "../../domain/snapshot.js";
import type { Ingestion, Restored } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import { ARCHIVE_CONSUMER } from "../archive/archive-events.js";
import { readChangeSet } from "../archive/change-sets.js";
import type { RecordStore } from "../archive/record-lines.js";
import { archivedEvents } from "../archive/segments.js";
import { readableSources } from "../recipe.js";
import type { RebuildReport } from "../reports.js";
import { NO_TOTALS, verifySnapshot } from "../verification/verify-snapshot.js";
import { type RestagePorts, restageGraph, restageVectors } from "./restage.js";
import { UNFINISHED } from "./unfinished.js";

export interface RebuildPorts extends RestagePorts {
	readonly events: EventStore;
}

export interface RebuildOptions {
	/** What the catalog holds goes first. */
	readonly replace: boolean;
	/** Fills graph and vectors anew also where they hold what was published. */
	readonly readModels: boolean;
	readonly onProgress?: (done: string) => void;
}

const ALL = Number.MAX_SAFE_INTEGER;
/** More unknown seqs than this are not discarded one by one: filling the stores anew costs less. */
const DISCARDS = 1_000;

/**
 * Makes the catalog again from the archive alone, has the other stores forget what the archive does not know, fills graph and vectors anew
 * where they do not hold what was published, and verifies all of it. Nothing else of Lode may run on these stores meanwhile. Until it came to
 * its end nothing starts on them; after a crash it is run again with `replace`.
 * @throws NOTHING_ARCHIVED, USAGE (the catalog is not empty), STORE_CORRUPT, STORE_UNAVAILABLE
 */
export async function rebuild(ports: RebuildPorts, options: RebuildOptions): Promise<RebuildReport> {
	const { catalog, graph, vectors, artifacts, events } = ports;
	const progress = options.onProgress ?? (() => undefined);
	const highestSeq = Math.max(...(await Promise.all([graph, vectors, artifacts].map((store) => store.highestSeq()))));
	progress("restoring the catalog from the archive");
	const restored = await catalog.restore(
		{ events: () => archivedEvents(artifacts), changes: (source, seq) => manifestChanges(artifacts, source, seq) },
		{ highestSeq, replace: options.replace },
	);
	await events.moveCheckpoint(ARCHIVE_CONSUMER, restored.events);

	const discarded = await discardUnknown(ports, restored, progress);
	await dropRemoved(ports);
	await releaseOpen(ports, progress);
	const tooMany = discarded < restored.nextSeq - 1 - restored.knownSeq;
	const restaged = await restage(ports, options.readModels || tooMany, progress);
	await collect(ports);

	await events.forgetCheckpoint(UNFINISHED);
	const { snapshot, stores, problems } = await verify(ports, progress);
	const sources = (await catalog.sources()).length;
	const { nextSeq, entries } = restored;
	return {
		ok: problems.length === 0,
		events: restored.events,
		sources,
		entries,
		restaged,
		discarded: restored.nextSeq - 1 - restored.knownSeq,
		nextSeq,
		snapshot: snapshot?.number ?? null,
		stores,
		problems,
	};
}

async function* manifestChanges(artifacts: RecordStore, source: string, seq: Seq) {
	for await (const line of readChangeSet(artifacts, source, seq)) if (!("vectors" in line)) yield line;
}

/** Ingestions that began after the last archived event: their commits are found again. Returns how many were discarded. */
async function discardUnknown(
	{ graph, vectors, artifacts }: RebuildPorts,
	{ knownSeq, nextSeq }: Restored,
	progress: (done: string) => void,
): Promise<number> {
	for (const { seq } of await artifacts.roots()) if (seq > knownSeq) await artifacts.discard(seq);
	const unknown = nextSeq - 1 - knownSeq;
	if (unknown > DISCARDS) return 0;
	for (let seq: Seq = nextSeq - 1; seq > knownSeq; seq--) {
		await Promise.all([graph, vectors, artifacts].map((store) => store.discard(seq)));
		progress(`seq ${seq} is not in the archive: discarded`);
	}
	return unknown;
}

/** Whoever removed them said so before the archive ended. */
async function dropRemoved({ catalog, graph, vectors, artifacts }: RebuildPorts): Promise<void> {
	for (const { id, removing } of await catalog.sources()) {
		if (!removing) continue;
		for (const open of await catalog.ingestions({ source: id, status: ["staging", "aborted"], limit: ALL })) {
			await catalog.abort(open.seq, { code: "CANCELLED", message: "its source is gone" });
			await catalog.release(open.seq, "abandoned");
		}
		await Promise.all([graph.dropSource(id), vectors.dropSource(id), artifacts.dropSource(id)]);
		await catalog.dropSource(id);
	}
}

/** What was being ingested when the archive ended: its workflow is not waited for, its commit is found again. */
async function releaseOpen(
	{ catalog, graph, vectors, artifacts }: RebuildPorts,
	progress: (done: string) => void,
): Promise<void> {
	for (const { id, seq } of await catalog.ingestions({ status: ["staging", "aborted"], limit: ALL })) {
		await catalog.abort(seq, { code: "INGESTION_FAILED", message: `${id} was open when the archive ended` });
		await Promise.all([graph, vectors, artifacts].map((store) => store.discard(seq)));
		await catalog.release(seq, "abandoned");
		progress(`${id} was open: discarded`);
	}
}

async function restage(
	ports: RebuildPorts,
	always: boolean,
	progress: (done: string) => void,
): Promise<("graph" | "vectors")[]> {
	const damaged = always ? undefined : new Set((await verify(ports, progress)).problems.map(({ store }) => store));
	const published = await publications(ports);
	const restaged: ("graph" | "vectors")[] = [];
	if (damaged === undefined || damaged.has("graph")) {
		await restageGraph(ports, published, progress);
		restaged.push("graph");
	}
	if (damaged === undefined || damaged.has("vectors")) {
		await restageVectors(ports, published, progress);
		restaged.push("vectors");
	}
	return restaged;
}

/** In the order in which they were published. */
async function publications({ catalog }: RebuildPorts): Promise<Ingestion[]> {
	return (await catalog.ingestions({ status: ["published"], limit: ALL })).reverse();
}

/** Closes the seqs that were closed before, and deletes what was collected. */
async function collect({ catalog, graph, vectors, artifacts }: RebuildPorts): Promise<void> {
	const open = await catalog.openSeqs();
	for (const { id } of await catalog.sources()) {
		// Moves nothing that was not moved before: everything is younger than the beginning of time.
		const horizon = await catalog.moveHorizon(id, new Date(0).toISOString());
		if (!horizon) continue;
		for (const store of [graph, vectors]) await store.collect(id, horizon, open);
		await artifacts.collectRoots(id, horizon, open);
	}
	for (const { seq } of await catalog.ingestions({ status: ["parked", "cancelled", "abandoned"], limit: ALL }))
		await Promise.all([graph, vectors, artifacts].map((store) => store.discard(seq)));
}

async function verify(ports: RebuildPorts, progress: (done: string) => void) {
	const sources = (await readableSources(ports.catalog)).map(({ id }) => id);
	let snapshot: Snapshot;
	try {
		snapshot = await ports.catalog.snapshot({ by: "latest" }, sources);
	} catch (error) {
		if (errorCode(error) !== "NOTHING_PUBLISHED") throw error;
		return { snapshot: undefined, stores: NO_TOTALS, problems: [] };
	}
	return { snapshot, ...(await verifySnapshot(ports, snapshot, sources, progress)) };
}
