import { Filters, type FilterValue } from "weaviate-client";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { pathMatcher } from "../path-matcher.js";
import type { SearchFilter } from "../vectors.port.js";
import { groupKey, pathKey, type StoredChunk, sourceKey } from "./stored-chunk.js";
import type { ModelCollection } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** Groups of one aggregation: more paths than any repository has. */
const ALL_GROUPS = 5_000_000;

/** A condition on a property, whatever collection it is asked of. */
export function where({ collection }: ModelCollection, property: keyof StoredChunk) {
	return collection.filter.byProperty(property as never) as unknown as {
		equal(value: string | number): FilterValue;
		notEqual(value: string | number): FilterValue;
		lessThan(value: number): FilterValue;
		lessOrEqual(value: number): FilterValue;
		greaterThan(value: number): FilterValue;
		greaterOrEqual(value: number): FilterValue;
		containsAny(value: readonly (string | number)[]): FilterValue;
		containsNone(value: readonly (string | number)[]): FilterValue;
	};
}

export const and = (...filters: readonly FilterValue[]): FilterValue =>
	filters.length === 1 ? (filters[0] as FilterValue) : Filters.and(...filters);
export const or = (...filters: readonly FilterValue[]): FilterValue =>
	filters.length === 1 ? (filters[0] as FilterValue) : Filters.or(...filters);

/** The one visibility rule (`isVisible` in domain/snapshot.ts) as a filter. */
export function visible(model: ModelCollection, { seq, excluding }: Snapshot): FilterValue {
	const [added, removed] = [where(model, "addedAt"), where(model, "removedAt")];
	if (excluding.length === 0) return and(added.lessOrEqual(seq), removed.greaterThan(seq));
	return and(
		added.lessOrEqual(seq),
		...excluding.map((open) => added.notEqual(open)),
		or(removed.greaterThan(seq), ...excluding.map((open) => removed.equal(open))),
	);
}

/** That a chunk was retired in the snapshot. */
export function goneIn(model: ModelCollection, { seq, excluding }: Snapshot): FilterValue {
	const removed = where(model, "removedAt");
	return and(removed.lessOrEqual(seq), ...excluding.map((open: Seq) => removed.notEqual(open)));
}

/** That it was retired after the snapshot, or is not. */
export function newlyGone(model: ModelCollection, { seq, excluding }: Snapshot): FilterValue {
	const removed = where(model, "removedAt");
	return or(removed.greaterThan(seq), ...excluding.map((open) => removed.equal(open)));
}

/** That a chunk had come by the snapshot. */
export function known(model: ModelCollection, { seq, excluding }: Snapshot): FilterValue {
	const added = where(model, "addedAt");
	return and(added.lessOrEqual(seq), ...excluding.map((open) => added.notEqual(open)));
}

/** That it came after the snapshot. */
export function unknown(model: ModelCollection, { seq, excluding }: Snapshot): FilterValue {
	const added = where(model, "addedAt");
	return or(added.greaterThan(seq), ...excluding.map((open) => added.equal(open)));
}

/** All of a search's filters, so that they apply before anything is ranked. Undefined: nothing can match. */
export async function searchFilter(
	connection: WeaviateConnection,
	model: ModelCollection,
	filter: SearchFilter,
): Promise<FilterValue | undefined> {
	const conditions = [visible(model, filter.snapshot)];
	const named: readonly (readonly [keyof StoredChunk, readonly string[] | undefined])[] = [
		["sourceKey", filter.sources?.map(sourceKey)],
		["groupKey", filter.group === undefined ? undefined : [groupKey(filter.group)]],
		["kind", filter.kinds],
		["language", filter.languages?.map((language) => `l:${language}`)],
	];
	for (const [property, values] of named) {
		if (values === undefined) continue;
		if (values.length === 0) return undefined;
		conditions.push(
			values.length === 1
				? where(model, property).equal(values[0] as string)
				: where(model, property).containsAny(values),
		);
	}
	if (filter.upTo !== undefined) conditions.push(known(model, filter.upTo));
	if (filter.after !== undefined) conditions.push(unknown(model, filter.after));
	if (filter.path !== undefined) {
		const isMatch = pathMatcher(filter.path);
		const paths = await distinct(connection, model, "path", and(...conditions));
		const matching = paths.filter((path) => isMatch(path));
		if (matching.length === 0) return undefined;
		// The shorter list says the same.
		const others = paths.length - matching.length;
		if (others >= matching.length) conditions.push(where(model, "pathKey").containsAny(matching.map(pathKey)));
		else if (others > 0) {
			const matched = new Set(matching);
			conditions.push(where(model, "pathKey").containsNone(paths.filter((path) => !matched.has(path)).map(pathKey)));
		}
	}
	return and(...conditions);
}

/** The values that a property has among the chunks that a filter lets pass. */
export async function distinct(
	connection: WeaviateConnection,
	{ collection }: ModelCollection,
	property: "path" | "origin",
	filters: FilterValue,
): Promise<string[]> {
	const groups = await connection.request(`list each ${property}`, async () => {
		// The client takes an answer without groups for a broken one.
		if ((await collection.aggregate.overAll({ filters })).totalCount === 0) return [];
		return collection.aggregate.groupBy.overAll({
			filters,
			groupBy: { property: property as never, limit: ALL_GROUPS },
		});
	});
	return groups.map(({ groupedBy }) => String(groupedBy.value));
}
