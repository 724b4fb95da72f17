import { LodeError } from "../../domain/errors.js";
import { fileKey } from "../../domain/keys.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { IndexingVersions } from "../../mining/indexing-versions.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { Catalog, Ingestion } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import type { EntityChange, GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import { parseAt } from "../at.js";
import { envelopeOf } from "../events/envelope.js";
import { groupNotFound, groupsOfSource } from "../groups/group-report.js";
import type { LodeReader } from "../lode.js";
import { defaultGroup, readableSources, requireSource } from "../recipe.js";
import type { DiffReport, IngestProgress, SourceReport, StatusReport, Waiting } from "../reports.js";
import { createSearch } from "../search/create-search.js";
import { replaySearches } from "../search/replay-searches.js";
import { NO_LOG, type SearchLog } from "../search/search-log.js";
import { catalogProblems, NO_TOTALS, verifySnapshot } from "../verification/verify-snapshot.js";
import { ingestionPage } from "../viewing/listings.js";
import { matchSource } from "./match-source.js";
import { readFile } from "./read-file.js";
import { readyStores } from "./ready-stores.js";
import { older, type ReadingScope, readingScope, sourceId, whileKept } from "./scope.js";
import { showGraph } from "./show-graph.js";
import { type AdapterOf, SourceLags } from "./source-lag.js";
import { listNeighbours, traceLineage } from "./trace-graph.js";

export interface ReaderPorts {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly events: EventStore;
	readonly artifacts: ArtifactStore;
	/** As the workers have them: part of whether the index has what a group says. */
	readonly plugins?: IndexingVersions;
	/** Asked for heads only. */
	readonly adapterOf: AdapterOf;
	/** Undefined where no configured provider serves the model: then text alone ranks. */
	readonly provider: (model: string) => EmbeddingProvider | undefined;
	/** Hears of every search; closed with the reader. */
	readonly searchLog?: SearchLog;
	/** How far a running ingestion is; undefined where nobody can be asked. */
	readonly progress: (ingestion: Ingestion) => Promise<IngestProgress | undefined>;
	/** What it is being tried again for. */
	readonly waiting: (ingestion: Ingestion) => Promise<Waiting[]>;
	/** Where the Temporal Web UI is, while it runs. */
	readonly temporalUi: () => Promise<string | null>;
	readonly close: () => Promise<void>;
}

const LATEST_INGESTIONS = 20;
const MOST_EVENTS = 1_000;

/** The use cases that only read. Each takes one snapshot at its start and uses it in every store. */
export function createReader(ports: ReaderPorts): LodeReader {
	const { catalog, graph, vectors } = ports;
	const lags = new SourceLags(ports.adapterOf);

	const scope = (source: string | undefined, at: string | undefined) => readingScope(catalog, source, at);
	const search = createSearch(ports);
	async function within<T>(
		{ source, at }: { readonly source?: string; readonly at?: string },
		answer: (scope: ReadingScope) => Promise<T>,
	): Promise<T> {
		const found = await scope(source, at);
		return at === undefined ? answer(found) : whileKept(catalog, found, () => answer(found));
	}

	return {
		search,
		replaySearches: (options) => replaySearches(ports.events, createSearch({ ...ports, searchLog: NO_LOG }), options),

		graph: (keyOrName, options) => within(options, (found) => showGraph(graph, found, keyOrName, options)),

		neighbours: (keyOrName, options) => within(options, (found) => listNeighbours(graph, found, keyOrName, options)),

		lineage: (keyOrName, options) => within(options, (found) => traceLineage(graph, found, keyOrName, options)),

		file: (path, { source, at, ...range }) =>
			within({ source, at }, async ({ sources, snapshot }) => {
				const having =
					sources.length === 1
						? sources
						: (
								await graph.entitiesByKey(
									{ snapshot, sources },
									sources.map((id) => fileKey(id, path)),
								)
							).flatMap((found) => found.sources);
				if (having.length > 1) {
					throw new LodeError("USAGE", `${having.length} sources have a file ${path}`, {
						next: `name one of them: ${having.join(", ")}`,
					});
				}
				return readFile(ports.artifacts, { snapshot, source: having[0] ?? (sources[0] as string), path }, range);
			}),

		async overview(wanted, { at }) {
			const id = await sourceId(catalog, wanted);
			const source = await requireSource(catalog, id);
			return within({ source: id, at }, async ({ snapshot }) => {
				const head = await catalog.head(snapshot, id);
				if (!head) throw new LodeError("NOTHING_PUBLISHED", `nothing of ${id} is published`, { next: "lode status" });
				const published = await catalog.ingestion(head.ingestion);
				return {
					snapshot: snapshot.number,
					source,
					commit: head.commit,
					ingestion: head.ingestion,
					publishedAt: published?.endedAt ?? null,
					model: (await defaultGroup(catalog, id)).indexing.model,
					entities: await graph.countByKind({ snapshot, sources: [id] }),
					files: head.totals.artifacts.count,
					chunks: head.totals.vectors.count,
				};
			});
		},

		async sources({ lag = false, source: wanted } = {}) {
			const readable = await readableSources(catalog);
			const all = wanted === undefined ? readable : [matchSource(readable, wanted)];
			const snapshot = await catalog.snapshot({ by: "latest" }, []).catch((error: unknown) => {
				if ((error as LodeError).code === "NOTHING_PUBLISHED") return undefined;
				throw error;
			});
			const heads =
				snapshot &&
				(await catalog.heads(
					snapshot,
					all.map(({ id }) => id),
				));
			const activity = new Map((await ports.events.activity()).map((one) => [one.source, one]));
			const reports = await Promise.all(
				all.map(async (source): Promise<SourceReport> => {
					const head = heads?.get(source.id);
					const published = head && (await catalog.ingestion(head.ingestion));
					return {
						...source,
						commit: head?.commit ?? null,
						snapshot: head?.snapshot ?? null,
						publishedAt: published?.endedAt ?? null,
						model: (await defaultGroup(catalog, source.id)).indexing.model,
						files: head?.totals.artifacts.count ?? 0,
						entities: head?.totals.graph.count ?? 0,
						webhooks: activity.get(source.id)?.receipts ?? 0,
						lastWebhookAt: activity.get(source.id)?.lastReceiptAt ?? null,
						chunks: snapshot && head ? await vectors.count({ snapshot, sources: [source.id] }) : 0,
					};
				}),
			);
			if (!lag) return reports;
			const found = await lags.of(reports);
			return reports.map((report, at) => ({ ...report, lag: found[at] }));
		},

		async groups(source) {
			const ids =
				source === undefined ? (await readableSources(catalog)).map(({ id }) => id) : [await sourceId(catalog, source)];
			return (await Promise.all(ids.map((id) => groupsOfSource(catalog, id, ports.plugins)))).flat();
		},

		async group(wanted, name) {
			const source = await sourceId(catalog, wanted);
			const group = (await groupsOfSource(catalog, source, ports.plugins)).find((one) => one.name === name);
			if (!group) throw groupNotFound(source, name);
			return group;
		},

		async status(id, list) {
			const temporalUi = await ports.temporalUi();
			if (id !== undefined) {
				const ingestion = await catalog.ingestion(id);
				if (!ingestion) {
					throw new LodeError("INGESTION_NOT_FOUND", `there is no ingestion ${id}`, {
						next: "list them with: lode status",
					});
				}
				const parked = ingestion.status === "parked" ? 1 : 0;
				return { ingestions: await withProgress([ingestion]), parked, temporalUi };
			}
			const parked = await parkedIngestions(catalog);
			if (list !== undefined) {
				const source = list.source === undefined ? undefined : await sourceId(catalog, list.source);
				const { items, more } = await ingestionPage(catalog, { source, status: list.status }, list, undefined);
				const ingestions = await withProgress(items.map(({ item }) => item));
				return { ingestions, parked: parked.length, temporalUi, next: more ? (items.at(-1)?.cursor ?? null) : null };
			}
			const latest = await catalog.ingestions({ limit: LATEST_INGESTIONS });
			const known = new Set(latest.map((ingestion) => ingestion.id));
			return {
				ingestions: await withProgress([...latest, ...parked.filter((one) => !known.has(one.id))]),
				parked: parked.length,
				temporalUi,
			};
		},

		async verify({ source, at, onProgress }) {
			const found = await scope(source, at).catch(async (error: unknown) => {
				// A catalog that lost its snapshots or sources cannot be asked about one, and says why itself.
				const problems = at === undefined ? await catalogProblems(ports, error) : [];
				if (problems.length === 0) throw error;
				return problems;
			});
			if ("length" in found) return { ok: false, snapshot: 0, stores: NO_TOTALS, problems: found };
			const { sources, snapshot } = found;
			const { stores, problems } = await verifySnapshot(ports, snapshot, sources, onProgress);
			return { ok: problems.length === 0, snapshot: snapshot.number, stores, problems };
		},

		async diff(wanted, from, to) {
			const source = await sourceId(catalog, wanted);
			const [before, after] = await Promise.all([snapshotOf(source, from), snapshotOf(source, to)]);
			const first = older(before.snapshot, after.snapshot);
			return whileKept(catalog, { snapshot: first, sources: [source] }, async () => {
				const changes: Record<EntityChange["change"], EntityChange[]> = { added: [], removed: [], changed: [] };
				let cursor: string | undefined;
				for (;;) {
					const page = await graph.changes(source, before.snapshot, after.snapshot, cursor, 1_000);
					const last = page.at(-1);
					if (!last) break;
					for (const change of page) changes[change.change].push(change);
					cursor = last.key;
				}
				const report: DiffReport = { source, from: before.commit, to: after.commit, ...changes };
				return report;
			});
		},

		async events({ stream, types, source, after, limit }) {
			const filter = { stream, types, source: source === undefined ? undefined : await sourceId(catalog, source) };
			const most = Math.min(limit, MOST_EVENTS);
			const found =
				after === undefined
					? (await ports.events.latest(most, filter)).reverse()
					: await ports.events.readAll(after, most, filter);
			return found.map(envelopeOf);
		},

		ready: () => readyStores(ports),

		async close() {
			// Before the stores: it has still to write.
			await ports.searchLog?.close();
			await ports.close();
		},
	};

	/** Those that run say how far they are. */
	function withProgress(ingestions: readonly Ingestion[]): Promise<StatusReport["ingestions"]> {
		return Promise.all(
			ingestions.map(async (ingestion) => {
				if (ingestion.status !== "staging" && ingestion.status !== "aborted") return ingestion;
				const [progress, waiting] = await Promise.all([ports.progress(ingestion), ports.waiting(ingestion)]);
				return { ...ingestion, ...(progress && { progress }), ...(waiting.length > 0 && { waiting }) };
			}),
		);
	}

	async function snapshotOf(source: string, at: string) {
		const snapshot = await catalog.snapshot(parseAt(at, source), [source]);
		const head = await catalog.head(snapshot, source);
		if (!head) {
			throw new LodeError("NOTHING_PUBLISHED", `nothing of ${source} was published at ${at}`, { next: "lode status" });
		}
		return { snapshot, commit: head.commit };
	}
}

/** Parked ingestions whose commit was not published since. */
export async function parkedIngestions(catalog: Catalog): Promise<Ingestion[]> {
	const parked = await catalog.ingestions({ status: ["parked"], limit: 1_000 });
	const open: Ingestion[] = [];
	const seen = new Set<string>();
	for (const ingestion of parked) {
		const work = `${ingestion.source}/${ingestion.commit}`;
		if (seen.has(work)) continue;
		seen.add(work);
		const later = await catalog.ingestions({
			source: ingestion.source,
			commit: ingestion.commit,
			status: ["published"],
			limit: 1,
		});
		if (!later.some((one) => one.seq > ingestion.seq)) open.push(ingestion);
	}
	return open;
}
