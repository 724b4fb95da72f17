import { compareBytes } from "./byte-order.js";
import type { Json } from "./digest.js";
import type { Entity, EntityState } from "./entities.js";

/** How many origins an entity names at most. */
const MAX_ORIGINS = 100;

/** What of a state a merged entity shows. */
export type MergeableState = Pick<EntityState, "key" | "kind" | "name" | "props"> & {
	readonly source: string;
	readonly origin: string;
};

/**
 * The entity that readers see: all states of one key, at least one, in any order. Where two states differ in kind, name or a
 * property, the one of the first origin in byte order wins; where two sources have that origin, the first source.
 */
export function mergeStates(states: readonly MergeableState[]): Entity {
	const ordered = [...states].sort((a, b) => compareBytes(a.origin, b.origin) || compareBytes(a.source, b.source));
	const [first] = ordered;
	if (first === undefined) throw new TypeError("an entity has at least one state");
	// A map, because a property may be called __proto__.
	const props = new Map<string, Json | undefined>();
	for (const state of ordered)
		for (const [name, value] of Object.entries(state.props)) if (!props.has(name)) props.set(name, value);
	return {
		key: first.key,
		kind: first.kind,
		name: first.name,
		props: Object.fromEntries([...props].sort(([a], [b]) => compareBytes(a, b))),
		sources: [...new Set(ordered.map((state) => state.source))].sort(compareBytes),
		origins: [...new Set(ordered.map((state) => state.origin))].slice(0, MAX_ORIGINS),
	};
}
