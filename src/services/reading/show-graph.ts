import type { Entity, EntityKind } from "../../domain/entities.js";
import { LodeError } from "../../domain/errors.js";
import type { GraphScope, GraphStore, Neighbour } from "../../stores/graph/graph.port.js";
import type { GraphReport } from "../reports.js";

const EDGES_A_KEY = 200;
const MAX_EDGES = 2_000;
const MAX_ALTERNATIVES = 20;

/** What people mean by a name, most likely first. */
const PREFERENCE: readonly EntityKind[] = [
	"data_model",
	"business_entity",
	"symbol",
	"file",
	"repository",
	"folder",
	"dataset",
	"package",
	"contributor",
	"document",
	"section",
	"column",
	"module",
	"commit",
	"name",
];

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

/** The entity that a key or a name means. @throws ENTITY_NOT_FOUND */
export async function findEntity(
	graph: Pick<GraphStore, "entity" | "entities">,
	scope: GraphScope,
	keyOrName: string,
): Promise<{ entity: Entity; alternatives: Entity[] }> {
	const byKey = await graph.entity(scope, keyOrName);
	if (byKey) return { entity: byKey, alternatives: [] };
	const named = await graph.entities(scope, { name: keyOrName, limit: 200 });
	const ordered = named
		.map((entity, at) => ({ entity, at }))
		.sort((a, b) => PREFERENCE.indexOf(a.entity.kind) - PREFERENCE.indexOf(b.entity.kind) || a.at - b.at)
		.map(({ entity }) => entity);
	const [entity, ...alternatives] = ordered;
	if (entity) return { entity, alternatives: alternatives.slice(0, MAX_ALTERNATIVES) };
	const similar: Entity[] = await graph.entities(scope, { name: keyOrName, prefix: true, limit: 5 });
	throw new LodeError("ENTITY_NOT_FOUND", `no entity has the key or name ${keyOrName}`, {
		next:
			similar.length > 0
				? `did you mean ${similar.map(({ name }) => name).join(", ")}?`
				: "search for it: lode search TEXT",
	});
}
