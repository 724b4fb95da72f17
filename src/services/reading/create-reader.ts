import { LodeError } from "../../domain/errors.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { Catalog, Ingestion } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import type { EntityChange, GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import { parseAt } from "../at.js";
import { envelopeOf } from "../events/envelope.js";
import { findSource } from "../find-source.js";
import { groupNotFound, groupsOfSource } from "../groups/group-report.js";
import type { LodeReader } from "../lode.js";
import { defaultGroup, readableSources } from "../recipe.js";
import type { DiffReport, IngestProgress, SearchHit, SourceReport, StatusReport, Waiting } from "../reports.js";
import { searchChunks } from "../search/search-chunks.js";
import { catalogProblems, NO_TOTALS, verifySnapshot } from "../verification/verify-snapshot.js";
import { readyStores } from "./ready-stores.js";
import { showGraph } from "./show-graph.js";

export interface ReaderPorts {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly events: EventStore;
	readonly artifacts: ArtifactStore;
	/** Undefined where no configured provider serves the model: then text alone ranks. */
	readonly provider: (model: string) => EmbeddingProvider | undefined;
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

	/** The sources in scope and one snapshot for all of them; sources that are being removed are out of sight. */
	async function scope(source: string | undefined, at: string | undefined) {
		const sources =
			source === undefined ? (await readableSources(catalog)).map(({ id }) => id) : [await sourceId(source)];
		if (sources.length === 0) {
			throw new LodeError("NOTHING_PUBLISHED", "nothing is ingested yet", { next: "lode ingest PATH_OR_URL" });
		}
		return { sources, snapshot: await catalog.snapshot(parseAt(at, source && sources[0]), sources) };
	}

	async function sourceId(wanted: string): Promise<string> {
		return (await findSource(catalog, wanted)).id;
	}

	async function commitsOf(snapshot: Snapshot, sources: readonly string[]): Promise<Map<string, string>> {
		const heads = await Promise.all(sources.map((source) => catalog.head(snapshot, source)));
		return new Map(heads.flatMap((head) => (head ? [[head.source, head.commit] as const] : [])));
	}

	return {
		async search(query) {
			const started = performance.now();
			const { sources, snapshot } = await scope(query.source, query.at);
			if (query.group !== undefined) await requireGroup(sources, query.group);
			const commits = await commitsOf(snapshot, sources);
			const found = await searchChunks({ vectors, provider: ports.provider }, query, {
				snapshot,
				sources,
				group: query.group,
				kinds: query.kinds,
				path: query.path,
			});
			const hits = found.hits.map(
				(hit): SearchHit => ({
					source: hit.source,
					commit: commits.get(hit.source) ?? "",
					path: hit.path,
					startLine: hit.startLine,
					endLine: hit.endLine,
					kind: hit.kind,
					symbol: hit.symbol ?? null,
					score: hit.score,
					text: hit.text,
				}),
			);
			return {
				snapshot: snapshot.number,
				model: found.model,
				tookMs: Math.round((performance.now() - started) * 10) / 10,
				hits,
			};
		},

		async graph(keyOrName, options) {
			const { sources, snapshot } = await scope(options.source, options.at);
			return showGraph(graph, { snapshot, sources }, keyOrName, options);
		},

		async sources() {
			const all = await readableSources(catalog);
			const snapshot = await catalog.snapshot({ by: "latest" }, []).catch((error: unknown) => {
				if ((error as LodeError).code === "NOTHING_PUBLISHED") return undefined;
				throw error;
			});
			return Promise.all(
				all.map(async (source): Promise<SourceReport> => {
					const head = snapshot && (await catalog.head(snapshot, source.id));
					const published = head && (await catalog.ingestion(head.ingestion));
					return {
						...source,
						commit: head?.commit ?? null,
						snapshot: head?.snapshot ?? null,
						publishedAt: published?.endedAt ?? null,
						model: (await defaultGroup(catalog, source.id)).indexing.model,
						files: head?.totals.artifacts.count ?? 0,
						entities: head?.totals.graph.count ?? 0,
						chunks: head?.totals.vectors.count ?? 0,
					};
				}),
			);
		},

		async groups(source) {
			const ids =
				source === undefined ? (await readableSources(catalog)).map(({ id }) => id) : [await sourceId(source)];
			return (await Promise.all(ids.map((id) => groupsOfSource(catalog, id)))).flat();
		},

		async group(wanted, name) {
			const source = await sourceId(wanted);
			const group = (await groupsOfSource(catalog, source)).find((one) => one.name === name);
			if (!group) throw groupNotFound(source, name);
			return group;
		},

		async status(id) {
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
			const latest = await catalog.ingestions({ limit: LATEST_INGESTIONS });
			const parked = await parkedIngestions(catalog);
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
			const source = await sourceId(wanted);
			const [before, after] = await Promise.all([snapshotOf(source, from), snapshotOf(source, to)]);
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
		},

		async events({ stream, type, source, after, limit }) {
			const filter = { stream, type, source: source === undefined ? undefined : await sourceId(source) };
			const most = Math.min(limit, MOST_EVENTS);
			const found =
				after === undefined
					? (await ports.events.latest(most, filter)).reverse()
					: await ports.events.readAll(after, most, filter);
			return found.map(envelopeOf);
		},

		ready: () => readyStores(ports),

		close: ports.close,
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

	async function requireGroup(sources: readonly string[], name: string): Promise<void> {
		for (const source of sources) if ((await catalog.groups(source)).some((group) => group.name === name)) return;
		throw new LodeError("GROUP_NOT_FOUND", `no source in scope has a group ${name}`, {
			next: "every source has the group default",
		});
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
