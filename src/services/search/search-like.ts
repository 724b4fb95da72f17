import { LodeError } from "../../domain/errors.js";
import { originPath } from "../../domain/keys.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { ChunkHit, FilePlace, SearchFilter, VectorStore } from "../../stores/vectors/vectors.port.js";
import { findEntity } from "../reading/find-entity.js";
import { parseHitId } from "./hit-id.js";
import { bestFirst, isSamePlace, onceAPlace } from "./once-a-place.js";
import type { SearchResult } from "./search-chunks.js";

export interface LikePorts {
	readonly catalog: Pick<Catalog, "entriesOf">;
	readonly graph: Pick<GraphStore, "entity" | "entities">;
	readonly vectors: Pick<VectorStore, "chunksOf" | "vectorsOf" | "searchVector">;
}

/** An example is at most so many chunks: more would be the mean of everything. */
const MAX_EXAMPLE = 100;

/** What a search is to find more of. */
interface Example {
	readonly chunks: readonly ChunkHit[];
	/** Where nothing new would be found. */
	readonly isPart: (hit: ChunkHit) => boolean;
}

/**
 * Chunks whose vectors are close to those of an example: the id of a hit, a path, or an entity by key or name. Each model compares with its own.
 * The example itself is left out. @throws ENTITY_NOT_FOUND
 */
export async function searchLike(
	ports: LikePorts,
	like: string,
	limit: number,
	filter: SearchFilter,
): Promise<SearchResult> {
	const started = performance.now();
	const { snapshot, sources } = filter;
	// An example may lie outside what is asked for.
	const { chunks, isPart } = await findExample(ports, like, { snapshot, sources });
	const stored = await ports.vectors.vectorsOf(chunks);
	const byModel = new Map<string, Float32Array[]>();
	for (const { id, model } of chunks) {
		const vector = stored.get(id);
		if (vector !== undefined) byModel.set(model, [...(byModel.get(model) ?? []), vector]);
	}
	const vectors = new Map([...byModel].map(([model, some]) => [model, meanDirection(some)]));
	const found = await Promise.all(
		[...vectors].map(async ([model, vector]) => {
			if (filter.model !== undefined && filter.model !== model) return [];
			const hits = await ports.vectors.searchVector(model, vector, filter, 2 * limit + chunks.length);
			return hits.filter((hit) => !isPart(hit));
		}),
	);
	const hits = onceAPlace(found.flat().sort(bestFirst), (hit) => hit).slice(0, limit);
	const best = hits[0]?.score ?? 0;
	return {
		hits: hits.map((hit) => ({ ...hit, score: best > 0 ? Math.max(0, hit.score / best) : 0 })),
		model: [...vectors.keys()].sort().join(","),
		unavailable: [],
		vectors,
		vectorMs: performance.now() - started,
	};
}

async function findExample(ports: LikePorts, like: string, scope: SearchFilter): Promise<Example> {
	const place = parseHitId(like);
	if (place !== undefined && (scope.sources?.includes(place.source) ?? true)) {
		const same = (hit: ChunkHit) =>
			hit.source === place.source &&
			hit.path === place.path &&
			hit.group === place.group &&
			hit.ordinal === place.ordinal;
		const chunks = (await ports.vectors.chunksOf({ ...scope, sources: [place.source] }, [place], 10_000)).filter(same);
		if (chunks.length > 0) return { chunks, isPart: isOneOf(chunks) };
	}
	const files = await filesAt(ports, like, scope);
	if (files.length > 0) {
		const chunks = await ports.vectors.chunksOf(scope, files, MAX_EXAMPLE);
		if (chunks.length > 0) return { chunks, isPart: ({ path }) => path === like };
	}
	if (place !== undefined) throw nothingLike(like);
	const { entity } = await findEntity(ports.graph, scope, like);
	const stated = entity.sources.flatMap((source) =>
		entity.origins.flatMap((origin): FilePlace[] => {
			const path = originPath(origin);
			return path === undefined ? [] : [{ source, path }];
		}),
	);
	const all = await ports.vectors.chunksOf(scope, stated, 10_000);
	// Of a symbol its own chunks, and those of what lies in it; of other entities all of the files that state them.
	const own = all.filter(
		({ symbol }) => symbol === entity.name || (symbol !== undefined && namedBy(entity.key, symbol)),
	);
	const chunks = (own.length > 0 ? own : all).slice(0, MAX_EXAMPLE);
	if (chunks.length === 0) throw nothingLike(like);
	return { chunks, isPart: isOneOf(chunks) };
}

/** Also what other groups have of the same lines is the example itself. */
function isOneOf(chunks: readonly ChunkHit[]): Example["isPart"] {
	const ids = new Set(chunks.map(({ id }) => id));
	return (hit) => ids.has(hit.id) || chunks.some((chunk) => isSamePlace(chunk, hit));
}

/** `symbol:s:a.ts#Client.send` names the chunks of `Client.send` and of what lies in it. */
function namedBy(key: string, symbol: string): boolean {
	const name = key.startsWith("symbol:") ? key.slice(key.lastIndexOf("#") + 1) : "";
	return name !== "" && (symbol === name || symbol.startsWith(`${name}.`));
}

async function filesAt(
	{ catalog }: LikePorts,
	path: string,
	{ snapshot, sources = [] }: SearchFilter,
): Promise<FilePlace[]> {
	const found = await Promise.all(
		sources.map(async (source) =>
			(await catalog.entriesOf(snapshot, source, [`file:${path}`])).map(() => ({ source, path })),
		),
	);
	return found.flat();
}

function nothingLike(like: string): LodeError {
	return new LodeError("ENTITY_NOT_FOUND", `nothing that ${JSON.stringify(like.slice(0, 200))} names has text here`, {
		next: "give the id of a hit, a path, or an entity",
	});
}

/** Unit length. */
function meanDirection(vectors: readonly Float32Array[]): Float32Array {
	const sum = new Float32Array(vectors[0]?.length ?? 0);
	for (const vector of vectors) for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + (vector[at] ?? 0);
	const length = Math.hypot(...sum);
	return length > 0 ? sum.map((value) => value / length) : (vectors[0] ?? sum);
}
