import type { EdgeKind } from "../../domain/entities.js";
import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";
import type { LineageReport, NeighboursReport } from "../reports.js";
import { lineage } from "../traversal/dependencies.js";
import { walk } from "../traversal/walk.js";
import { findEntity } from "./find-entity.js";

const MAX_EDGES = 2_000;

/** The edges that leave or reach one entity, of these kinds, in one snapshot. @throws ENTITY_NOT_FOUND */
export async function listNeighbours(
	graph: GraphStore,
	scope: GraphScope,
	keyOrName: string,
	options: { direction: "out" | "in" | "both"; kinds?: readonly EdgeKind[]; limit?: number },
): Promise<NeighboursReport> {
	const { entity, alternatives } = await findEntity(graph, scope, keyOrName);
	const of = (direction: "out" | "in") =>
		options.direction === direction || options.direction === "both" ? options.kinds : [];
	const { edges, reached, truncated } = await walk(
		graph,
		scope,
		[entity.key],
		{ out: of("out"), in: of("in") },
		{ depth: 1, limit: Math.min(options.limit ?? MAX_EDGES, MAX_EDGES) },
	);
	const touched = await graph.entitiesByKey(scope, [...reached.keys()]);
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
	const bounds = { depth: options.depth, limit: Math.min(options.limit ?? MAX_EDGES, MAX_EDGES) };
	const [up, down] = await Promise.all([
		options.direction === "down" ? undefined : lineage(graph, scope, entity.key, "up", bounds),
		options.direction === "up" ? undefined : lineage(graph, scope, entity.key, "down", bounds),
	]);
	const reached = new Set([...(up?.reached.keys() ?? []), ...(down?.reached.keys() ?? [])]);
	const touched = await graph.entitiesByKey(scope, [...reached]);
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
