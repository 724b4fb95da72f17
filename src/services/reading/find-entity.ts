import type { Entity, EntityKind } from "../../domain/entities.js";
import { LodeError } from "../../domain/errors.js";
import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";

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

/** The entity of a key, or what a name most likely means, with what else it may mean. @throws ENTITY_NOT_FOUND */
export async function findEntity(graph: Pick<GraphStore, "entity" | "entities">, scope: GraphScope, keyOrName: string) {
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
