import type { EdgeKind } from "../../domain/entities.js";
import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";
import type { LineageReport, NeighboursReport } from "../reports.js";
import { findEntity } from "./find-entity.js";
import { walkEdges } from "./walk-edges.js";

const MAX_EDGES = 2_000;
const LINEAGE: readonly EdgeKind[] = ["DERIVES_FROM"];

/** The edges that leave or reach one entity, of these kinds, in one snapshot. @throws ENTITY_NOT_FOUND */
export async function listNeighbours(
	graph: GraphStore,
	scope: GraphScope,
	keyOrName: string,
	options: { direction: "out" | "in" | "both"; kinds?: readonly EdgeKind[]; limit?: number },
): Promise<NeighboursReport> {
	const { entity, alternatives } = await findEntity(graph, scope, keyOrName);
	const { edges, keys, truncated } = await walkEdges(graph, scope, entity.key, {
		directions: options.direction === "both" ? ["out", "in"] : [options.direction],
		kinds: options.kinds,
		depth: 1,
		limit: Math.min(options.limit ?? MAX_EDGES, MAX_EDGES),
	});
	const touched = await graph.entitiesByKey(scope, [...keys]);
	return {
		snapshot: scope.snapshot.number,
		entity,
		alternatives,
		edges: edges.map(({ depth: _, ...edge }) => edge),
		entities: Object.fromEntries(touched.map((one) => [one.key, one])),
		truncated,
	};
}

/**
 * What an entity derives from (`up`) and what derives from it (`down`), over any number of steps, in one snapshot: data models, columns and
 * whatever else has DERIVES_FROM edges. @throws ENTITY_NOT_FOUND
 */
export async function traceLineage(
	graph: GraphStore,
	scope: GraphScope,
	keyOrName: string,
	options: { direction: "up" | "down" | "both"; depth: number; limit?: number },
): Promise<LineageReport> {
	const { entity, alternatives } = await findEntity(graph, scope, keyOrName);
	const limit = Math.min(options.limit ?? MAX_EDGES, MAX_EDGES);
	const walk = (direction: "out" | "in") =>
		walkEdges(graph, scope, entity.key, { directions: [direction], kinds: LINEAGE, depth: options.depth, limit });
	const [up, down] = await Promise.all([
		options.direction === "down" ? undefined : walk("out"),
		options.direction === "up" ? undefined : walk("in"),
	]);
	const touched = await graph.entitiesByKey(scope, [...new Set([...(up?.keys ?? []), ...(down?.keys ?? [])])]);
	return {
		snapshot: scope.snapshot.number,
		entity,
		alternatives,
		up: up?.edges ?? [],
		down: down?.edges ?? [],
		entities: Object.fromEntries(touched.map((one) => [one.key, one])),
		truncated: up?.truncated === true || down?.truncated === true,
	};
}
