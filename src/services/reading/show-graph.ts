import type { GraphScope, GraphStore, Neighbour } from "../../stores/graph/graph.port.js";
import type { GraphReport } from "../reports.js";
import { findEntity } from "./find-entity.js";

const EDGES_A_KEY = 200;
const MAX_EDGES = 2_000;

/** An entity and what lies around it, nearest first, in one snapshot. @throws ENTITY_NOT_FOUND */
export async function showGraph(
	graph: GraphStore,
	scope: GraphScope,
	keyOrName: string,
	options: { depth: number; limit?: number },
): Promise<GraphReport> {
	const { entity, alternatives } = await findEntity(graph, scope, keyOrName);
	const limit = Math.min(options.limit ?? MAX_EDGES, MAX_EDGES);
	const edges: (Neighbour & { depth: number })[] = [];
	const seenEdges = new Set<string>();
	const seenKeys = new Set([entity.key]);
	let frontier = [entity.key];
	let truncated = false;
	for (let depth = 1; depth <= options.depth && frontier.length > 0 && edges.length < limit; depth++) {
		const reached = new Set<string>();
		const keys = frontier;
		const both = (["out", "in"] as const).map(async (direction) => {
			const found = await graph.neighbours(scope, { keys, direction, limit: EDGES_A_KEY });
			return { direction, found };
		});
		for (const { direction, found } of await Promise.all(both)) {
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
				if (!seenKeys.has(other)) reached.add(other);
			}
			truncated ||= found.length >= frontier.length * EDGES_A_KEY;
		}
		for (const key of reached) seenKeys.add(key);
		frontier = [...reached];
	}
	const touched = await graph.entitiesByKey(scope, [...seenKeys]);
	return {
		snapshot: scope.snapshot.number,
		entity,
		alternatives,
		edges,
		entities: Object.fromEntries(touched.map((one) => [one.key, one])),
		truncated,
	};
}
