import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";
import type { GraphReport } from "../reports.js";
import { walk } from "../traversal/walk.js";
import { findEntity } from "./find-entity.js";

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
	const { edges, reached, truncated } = await walk(graph, scope, [entity.key], {}, { depth: options.depth, limit });
	const touched = await graph.entitiesByKey(scope, [...reached.keys()]);
	return {
		snapshot: scope.snapshot.number,
		entity,
		alternatives,
		edges,
		entities: Object.fromEntries(touched.map((one) => [one.key, one])),
		truncated,
	};
}
