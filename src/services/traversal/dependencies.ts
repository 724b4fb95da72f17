import type { EdgeKind, EntityKey } from "../../domain/entities.js";
import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";
import { type Bounds, type Walked, walk } from "./walk.js";

type Graph = Pick<GraphStore, "neighbours">;

/** The end that an edge of these kinds leaves from needs the other one. */
const NEEDS: readonly EdgeKind[] = ["IMPORTS", "CALLS", "REFERENCES", "DEPENDS_ON", "DERIVES_FROM"];
/** What is a part of what: to change the whole may change each of them. */
const PARTS: readonly EdgeKind[] = ["CONTAINS", "DEFINES", "HAS_COLUMN"];
/** A folder of folders of files of classes of methods. */
const PARTS_DEPTH = 12;

/** Where data comes from (`up`), or what is made of it (`down`). */
export function lineage(
	graph: Graph,
	scope: GraphScope,
	entity: EntityKey,
	direction: "up" | "down",
	bounds: Bounds,
): Promise<Walked> {
	const steps = direction === "up" ? { out: ["DERIVES_FROM"], in: [] } : { out: [], in: ["DERIVES_FROM"] };
	return walk(graph, scope, [entity], steps as { out: EdgeKind[]; in: EdgeKind[] }, bounds);
}

/**
 * What a change of an entity may affect: all that needs it or a part of it, and what needs that. Depth 0 is the entity with its parts;
 * what is reached later counts as it is, without its parts.
 */
export async function impact(graph: Graph, scope: GraphScope, entity: EntityKey, bounds: Bounds): Promise<Walked> {
	const parts = await walk(graph, scope, [entity], { out: PARTS, in: [] }, { depth: PARTS_DEPTH, limit: bounds.limit });
	const found = await walk(graph, scope, [...parts.reached.keys()], { out: [], in: NEEDS }, bounds);
	return { ...found, truncated: found.truncated || parts.truncated };
}
