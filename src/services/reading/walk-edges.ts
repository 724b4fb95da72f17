import type { EdgeKind, EntityKey } from "../../domain/entities.js";
import type { GraphScope, GraphStore, Neighbour } from "../../stores/graph/graph.port.js";

/** An edge that a key has more of is cut; the walk then says that it is truncated. */
const EDGES_A_KEY = 200;

export interface WalkOptions {
	readonly directions: readonly ("out" | "in")[];
	/** All where omitted. */
	readonly kinds?: readonly EdgeKind[];
	readonly depth: number;
	/** Edges at most. */
	readonly limit: number;
}

export interface Walk {
	/** Each edge once, nearest first; `depth` is the distance from the start. */
	readonly edges: readonly (Neighbour & { readonly depth: number })[];
	/** The start and everything that was reached. */
	readonly keys: ReadonlySet<EntityKey>;
	/** There are more edges than these. */
	readonly truncated: boolean;
}

/** Follows edges from one entity in breadth, in one snapshot. Cycles end it as the depth does. */
export async function walkEdges(
	graph: Pick<GraphStore, "neighbours">,
	scope: GraphScope,
	start: EntityKey,
	{ directions, kinds, depth: deepest, limit }: WalkOptions,
): Promise<Walk> {
	const edges: (Neighbour & { depth: number })[] = [];
	const seenEdges = new Set<string>();
	const keys = new Set([start]);
	let frontier = [start];
	let truncated = false;
	for (let depth = 1; depth <= deepest && frontier.length > 0 && edges.length < limit; depth++) {
		const reached = new Set<string>();
		const asked = directions.map(async (direction) => {
			const found = await graph.neighbours(scope, { keys: frontier, direction, kinds, limit: EDGES_A_KEY });
			return { direction, found };
		});
		for (const { direction, found } of await Promise.all(asked)) {
			for (const edge of found) {
				const id = `${edge.from} ${edge.kind} ${edge.to}`;
				if (seenEdges.has(id)) continue;
				if (edges.length >= limit) {
					truncated = true;
					break;
				}
				seenEdges.add(id);
				edges.push({ ...edge, depth });
				const other = direction === "out" ? edge.to : edge.from;
				if (!keys.has(other)) reached.add(other);
			}
			truncated ||= found.length >= frontier.length * EDGES_A_KEY;
		}
		for (const key of reached) keys.add(key);
		frontier = [...reached];
	}
	return { edges, keys, truncated };
}
