import type { EntityKey } from "../../domain/entities.js";
import type { GraphScope, GraphStore, Neighbour } from "../../stores/graph/graph.port.js";
import { around, edgeId, type Steps } from "./walk.js";

export interface FoundPaths {
	/** The shortest ones, each from the first entity to the last. */
	readonly paths: readonly (readonly Neighbour[])[];
	/** Not all of the graph that might hold a path was looked at, or there are more of that length. */
	readonly truncated: boolean;
}

/** Entities that are looked at before the search gives up. */
const MOST_REACHED = 5_000;

type Graph = Pick<GraphStore, "neighbours">;

/** The shortest paths between two entities along the given steps, at most `limit` of them, none longer than `depth` edges. */
export async function findPaths(
	graph: Graph,
	scope: GraphScope,
	{ from, to }: { from: EntityKey; to: EntityKey },
	steps: Steps,
	bounds: { readonly depth: number; readonly limit: number },
): Promise<FoundPaths> {
	if (from === to) return { paths: [[]], truncated: false };
	/** How each entity is reached in the fewest steps. */
	const arrivals = new Map<EntityKey, { depth: number; by: { edge: Neighbour; before: EntityKey }[] }>();
	arrivals.set(from, { depth: 0, by: [] });
	let frontier = [from];
	let truncated = false;
	for (let depth = 1; depth <= bounds.depth && frontier.length > 0 && !arrivals.has(to); depth++) {
		const found = await around(graph, scope, frontier, steps);
		truncated ||= found.truncated;
		frontier = [];
		const seen = new Set<string>();
		for (const { edge, other } of found.edges) {
			const before = other === edge.to ? edge.from : edge.to;
			const id = `${edgeId(edge)}\0${before}`;
			if (seen.has(id)) continue;
			seen.add(id);
			const known = arrivals.get(other);
			if (known) {
				if (known.depth === depth) known.by.push({ edge, before });
				continue;
			}
			if (arrivals.size >= MOST_REACHED) {
				truncated = true;
				continue;
			}
			arrivals.set(other, { depth, by: [{ edge, before }] });
			frontier.push(other);
		}
	}
	const paths: Neighbour[][] = [];
	// Backwards from the end; a stack, because every arrival may have several ways.
	const open: { at: EntityKey; rest: Neighbour[] }[] = arrivals.has(to) ? [{ at: to, rest: [] }] : [];
	for (let next = open.pop(); next !== undefined; next = open.pop()) {
		if (next.at === from) {
			if (paths.length >= bounds.limit) return { paths, truncated: true };
			paths.push(next.rest);
			continue;
		}
		for (const { edge, before } of arrivals.get(next.at)?.by ?? [])
			open.push({ at: before, rest: [edge, ...next.rest] });
	}
	return { paths, truncated };
}
