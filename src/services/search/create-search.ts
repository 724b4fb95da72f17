import { errorCode, LodeError } from "../../domain/errors.js";
import { fileOrigin, originPath } from "../../domain/keys.js";
import type { ChunkKind } from "../../domain/mined-file.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { ChunkHit, SearchFilter, VectorStore } from "../../stores/vectors/vectors.port.js";
import { parseAt } from "../at.js";
import { type ReadingScope, readingScope, sourceId, whileKept } from "../reading/scope.js";
import type { SearchHit, SearchQuery, SearchReport } from "../reports.js";
import { groupHits } from "./group-hits.js";
import { groupingOfGroup } from "./grouping-of-group.js";
import { highlighter } from "./highlights.js";
import { hitContexts } from "./hit-context.js";
import { hitId } from "./hit-id.js";
import { provenances } from "./provenance.js";
import { type SearchResult, searchChunks } from "./search-chunks.js";
import { searchLike } from "./search-like.js";
import { NO_LOG, type SearchLog } from "./search-log.js";

export interface SearchServicePorts {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	/** Undefined where no configured provider serves the model: then text alone ranks. */
	readonly provider: (model: string) => EmbeddingProvider | undefined;
	/** Hears of every search. */
	readonly searchLog?: SearchLog;
}

/** The search of all interfaces: one snapshot, taken first, answers everything of it; each search is told to the log. */
export function createSearch(ports: SearchServicePorts): (query: SearchQuery) => Promise<SearchReport> {
	const log = ports.searchLog ?? NO_LOG;
	return async (query) => {
		const started = performance.now();
		const scope = readingScope(ports.catalog, query.source, query.at);
		const logged = log.received(query, await meant(ports.catalog, query.source, scope));
		const elapsed = () => Math.round((performance.now() - started) * 10) / 10;
		try {
			const answered = () => answer(ports, query, scope, elapsed);
			const { report, vectorMs } = await (query.at === undefined
				? answered()
				: whileKept(ports.catalog, await scope, answered));
			logged.generated(report, { processingMs: elapsed(), vectorMs });
			return report;
		} catch (error) {
			logged.rejected(error);
			throw error;
		}
	};
}

/** What an event is about has one name, however the query calls it. Never throws: what is wrong with it is said by the answer. */
async function meant(
	catalog: Catalog,
	source: string | undefined,
	scope: Promise<ReadingScope>,
): Promise<string | undefined> {
	const found = await scope.catch(() => undefined);
	if (source === undefined) return undefined;
	// Without a scope it may be the snapshot that is not there.
	return found?.sources[0] ?? sourceId(catalog, source).catch(() => undefined);
}

async function answer(
	ports: SearchServicePorts,
	query: SearchQuery,
	scope: Promise<ReadingScope>,
	elapsed: () => number,
) {
	const { catalog, graph, vectors } = ports;
	if (query.like !== undefined && query.text.trim() !== "") {
		throw new LodeError("USAGE", "a search is either for words or for what is like an example", {
			next: "leave the text or --like away",
		});
	}
	const { sources, snapshot } = await scope;
	if (query.model !== undefined) await requireModel(vectors, query.model, { snapshot, sources });
	const grouping = query.grouping ?? (await groupingOfGroup(ports, query.group, { snapshot, sources }));
	const commits = await commitsOf(catalog, snapshot, sources);
	const filter = await filterOf(catalog, query, { snapshot, sources });
	const found = filter === undefined ? NOTHING : await rank(ports, query, filter);
	const [certainties, contexts, origins] = await Promise.all([
		certaintiesOf(vectors, found),
		query.context ? hitContexts(graph, { snapshot, sources }, found.hits) : undefined,
		query.provenance ? provenances(catalog, snapshot, found.hits) : undefined,
	]);
	const highlight = highlighter(query.text);
	const hits = found.hits.map((hit, at): SearchHit => {
		const [context, provenance] = [contexts?.[at], origins?.[at]];
		return {
			source: hit.source,
			commit: commits.get(hit.source) ?? "",
			path: hit.path,
			startLine: hit.startLine,
			endLine: hit.endLine,
			kind: hit.kind as ChunkKind,
			symbol: hit.symbol ?? null,
			score: hit.score,
			text: hit.text,
			id: hitId(hit),
			group: hit.group,
			ordinal: hit.ordinal,
			language: hit.language ?? null,
			model: hit.model,
			certainty: certainties.get(hit.id) ?? null,
			highlights: highlight(hit.text),
			...(context && { context }),
			...(provenance && { provenance }),
		};
	});
	const report: SearchReport = {
		snapshot: snapshot.number,
		model: found.model,
		tookMs: elapsed(),
		hits,
		...(grouping && { groups: groupHits(hits, grouping) }),
		...(found.unavailable.length > 0 && { unavailable: found.unavailable }),
	};
	return { report, vectorMs: Math.round(found.vectorMs * 10) / 10 };
}

const NOTHING: SearchResult = { hits: [], model: "", unavailable: [], vectors: new Map(), vectorMs: 0 };

function rank(ports: SearchServicePorts, query: SearchQuery, filter: SearchFilter): Promise<SearchResult> {
	const { catalog, vectors, provider } = ports;
	if (query.like !== undefined) return searchLike(ports, query.like, query.limit, filter);
	const existing = async (snapshot: Snapshot, source: string, paths: readonly string[]) =>
		(await catalog.entriesOf(snapshot, source, paths.map(fileOrigin))).flatMap(
			({ origin }) => originPath(origin) ?? [],
		);
	return searchChunks({ vectors, provider, existing }, query, filter);
}

/** A model that no chunk has would find nothing, like a question without an answer. @throws USAGE */
async function requireModel(
	vectors: VectorStore,
	model: string,
	scope: { readonly snapshot: Snapshot; readonly sources: readonly string[] },
): Promise<void> {
	const known = await vectors.models(scope);
	if (known.length === 0 || known.includes(model)) return;
	throw new LodeError("USAGE", `no chunk in scope has the model ${model}`, {
		next: `there: ${known.sort().join(", ")}`,
	});
}

/** Undefined where nothing had come by then. @throws MODEL_MISMATCH, USAGE, SNAPSHOT_NOT_FOUND, SNAPSHOT_EXPIRED */
async function filterOf(
	catalog: Catalog,
	query: SearchQuery,
	scope: { readonly snapshot: Snapshot; readonly sources: readonly string[] },
): Promise<SearchFilter | undefined> {
	const { group, kinds, path, languages, model } = query;
	const [after, upTo] = await Promise.all(
		[query.since, query.until].map((when) => bound(catalog, when, query.source, scope)),
	);
	if (query.until !== undefined && upTo === undefined) return undefined;
	return {
		...scope,
		...{ group, kinds, path, languages, model },
		...(after && { after }),
		...(upTo && { upTo }),
	};
}

/** The snapshot of a bound; undefined before the first one. */
async function bound(
	catalog: Catalog,
	when: string | undefined,
	source: string | undefined,
	{ sources }: { readonly sources: readonly string[] },
): Promise<Snapshot | undefined> {
	if (when === undefined) return undefined;
	const selector = parseAt(when, source && sources[0]);
	try {
		return await catalog.snapshot(selector, sources);
	} catch (error) {
		const code = errorCode(error);
		if (code === "NOTHING_PUBLISHED" || (code === "SNAPSHOT_NOT_FOUND" && selector.by === "time")) return undefined;
		throw error;
	}
}

async function commitsOf(
	catalog: Catalog,
	snapshot: Snapshot,
	sources: readonly string[],
): Promise<ReadonlyMap<string, string>> {
	const heads = await catalog.heads(snapshot, sources);
	return new Map([...heads].map(([source, { commit }]) => [source, commit] as const));
}

/** How close each hit is to the question, by its stored vector, whatever ranking found it. */
async function certaintiesOf(vectors: VectorStore, found: SearchResult): Promise<ReadonlyMap<string, number>> {
	const comparable = found.hits.filter(({ model }) => found.vectors.has(model));
	const stored = comparable.length === 0 ? new Map() : await vectors.vectorsOf(comparable);
	return new Map(
		comparable.flatMap(({ id, model }: ChunkHit) => {
			const [question, vector] = [found.vectors.get(model), stored.get(id)];
			return question && vector?.length === question.length ? [[id, certainty(question, vector)] as const] : [];
		}),
	);
}

/** Of unit vectors. Four digits: float32 holds no more after so many sums. */
function certainty(a: Float32Array, b: Float32Array): number {
	let cosine = 0;
	for (let at = 0; at < a.length; at += 1) cosine += (a[at] as number) * (b[at] as number);
	return Math.round(Math.min(1, Math.max(0, (1 + cosine) / 2)) * 10_000) / 10_000;
}
