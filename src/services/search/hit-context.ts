import type { EdgeKind, EntityKey, EntityKind } from "../../domain/entities.js";
import { dataModelKey, datasetKey, documentKey, fileKey, symbolKey } from "../../domain/keys.js";
import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";
import type { ChunkHit } from "../../stores/vectors/vectors.port.js";

export interface ContextEntity {
	readonly key: EntityKey;
	readonly kind: EntityKind;
	readonly name: string;
}

export interface HitContext {
	/** What the text defines or lies in, the closest that the graph knows; null where it knows none. */
	readonly entity: ContextEntity | null;
	/** At most ten a direction, in order of (kind, key). */
	readonly neighbours: readonly (ContextEntity & { readonly edge: EdgeKind; readonly direction: "out" | "in" })[];
}

const NEIGHBOURS = 10;

/** The graph around each hit: four questions, however many hits there are. */
export async function hitContexts(
	graph: Pick<GraphStore, "entitiesByKey" | "neighbours">,
	scope: GraphScope,
	hits: readonly ChunkHit[],
): Promise<HitContext[]> {
	const candidates = hits.map(keysOf);
	const known = await entities(graph, scope, candidates.flat());
	const defining = candidates.map((keys) => keys.map((key) => known.get(key)).find((entity) => entity !== undefined));
	const keys = [...new Set(defining.flatMap((entity) => entity?.key ?? []))];
	if (keys.length === 0) return hits.map(() => ({ entity: null, neighbours: [] }));
	const [out, into] = await Promise.all(
		(["out", "in"] as const).map((direction) => graph.neighbours(scope, { keys, direction, limit: NEIGHBOURS })),
	);
	const around = new Map<EntityKey, { other: EntityKey; edge: EdgeKind; direction: "out" | "in" }[]>();
	const add = (of: EntityKey, other: EntityKey, edge: EdgeKind, direction: "out" | "in") =>
		around.set(of, [...(around.get(of) ?? []), { other, edge, direction }]);
	for (const { from, kind, to } of out ?? []) add(from, to, kind, "out");
	for (const { from, kind, to } of into ?? []) add(to, from, kind, "in");
	const others = await entities(
		graph,
		scope,
		[...around.values()].flat().map(({ other }) => other),
	);
	return defining.map((entity) => ({
		entity: entity ?? null,
		neighbours: (entity === undefined ? [] : (around.get(entity.key) ?? [])).flatMap(({ other, edge, direction }) => {
			const named = others.get(other);
			return named === undefined ? [] : [{ ...named, edge, direction }];
		}),
	}));
}

async function entities(
	graph: Pick<GraphStore, "entitiesByKey">,
	scope: GraphScope,
	keys: readonly EntityKey[],
): Promise<Map<EntityKey, ContextEntity>> {
	const wanted = [...new Set(keys)];
	const found = wanted.length === 0 ? [] : await graph.entitiesByKey(scope, wanted);
	return new Map(found.map(({ key, kind, name }) => [key, { key, kind, name }]));
}

/** What a chunk may be of, the closest first: its symbol, what that lies in, its model, dataset or document, its file. */
function keysOf({ source, path, symbol }: ChunkHit): EntityKey[] {
	const keys: EntityKey[] = [];
	if (symbol !== undefined) {
		for (let name = symbol; name !== ""; name = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "") {
			keys.push(symbolKey(source, path, name));
		}
		keys.push(dataModelKey(source, symbol));
	}
	return [...keys, datasetKey(source, path), documentKey(source, path), fileKey(source, path)];
}
