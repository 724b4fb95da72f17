import type { Json, JsonObject } from "../domain/digest.js";
import type { Edge, EntityKey, EntityState, ProvidedName } from "../domain/entities.js";
import { storableText } from "./storable-text.js";

const MAX_DEPTH = 16;

/**
 * One state a key, sorted by key, with edges and names sorted and without doubles. Of states with one key the first gives kind,
 * name and properties that differ; a provided name keeps its lowest rank. All text is made
 * fit for any store.
 */
export function uniteStates(states: Iterable<EntityState>): EntityState[] {
	const byKey = new Map<EntityKey, EntityState[]>();
	for (const state of states) {
		const key = storableText(state.key);
		const list = byKey.get(key);
		if (list === undefined) byKey.set(key, [state]);
		else list.push(state);
	}
	return [...byKey]
		.sort(([a], [b]) => compare(a, b))
		.flatMap(([key, [first, ...others]]) => (first === undefined ? [] : [united(key, first, others)]));
}

function united(key: EntityKey, first: EntityState, others: readonly EntityState[]): EntityState {
	if (others.length === 0 && first.edges.length < 2 && first.provides.length < 2) return alone(key, first);
	const all = [first, ...others];
	const props = new Map<string, Json | undefined>();
	const edges = new Map<string, Edge>();
	const ranks = new Map<EntityKey, number>();
	for (const state of all) {
		for (const [name, value] of Object.entries(state.props)) {
			if (value !== undefined && !props.has(name)) props.set(name, value);
		}
		for (const { kind, to } of state.edges) edges.set(`${kind} ${storableText(to)}`, { kind, to: storableText(to) });
		for (const { name, rank } of state.provides) {
			const provided = storableText(name);
			ranks.set(provided, Math.min(rank, ranks.get(provided) ?? rank));
		}
	}
	return {
		key,
		kind: first.kind,
		name: storableText(first.name),
		props: cleanObject(props, 0),
		edges: [...edges].sort(([a], [b]) => compare(a, b)).map(([, edge]) => edge),
		provides: [...ranks].sort(([a], [b]) => compare(a, b)).map(([name, rank]): ProvidedName => ({ name, rank })),
	};
}

/** The same of one state where nothing of it need be put in order. */
function alone(key: EntityKey, { kind, name, props, edges, provides }: EntityState): EntityState {
	return {
		key,
		kind,
		name: storableText(name),
		props: cleanObject(Object.entries(props), 0),
		edges: edges.map((edge) => ({ kind: edge.kind, to: storableText(edge.to) })),
		provides: provides.map((provided) => ({ name: storableText(provided.name), rank: provided.rank })),
	};
}

function cleanObject(entries: Iterable<[string, Json | undefined]>, depth: number): JsonObject {
	const cleaned: Record<string, Json> = {};
	for (const [name, value] of [...entries].sort(([a], [b]) => compare(a, b))) {
		// An own property of this name would become the prototype of whoever copies it by assignment.
		if (value === undefined || name === "__proto__") continue;
		cleaned[storableText(name)] = cleanValue(value, depth + 1);
	}
	return cleaned;
}

function cleanValue(value: Json, depth: number): Json {
	if (typeof value === "string") return storableText(value);
	if (typeof value === "number") return Number.isFinite(value) ? value : null;
	if (value === null || typeof value !== "object" || depth > MAX_DEPTH) return typeof value === "object" ? null : value;
	if (Array.isArray(value)) return value.map((item: Json) => cleanValue(item ?? null, depth + 1));
	return cleanObject(Object.entries(value as JsonObject), depth);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
