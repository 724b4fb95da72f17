import { compareBytes } from "../../../domain/byte-order.js";
import { ENTITY_KINDS, type Entity, type EntityKey, type EntityKind } from "../../../domain/entities.js";
import { type MergeableState, mergeStates } from "../../../domain/merge-states.js";
import type { Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import { chunked } from "../../sqlite/chunked.js";
import { compareEntities, endOfPrefix } from "../entity-comparison.js";
import type { EntityChange, EntityQuery, GraphScope } from "../graph.port.js";
import type { DgraphConnection } from "./dgraph-client.js";
import type { DgraphRecords } from "./dgraph-records.js";
import { type GraphIds, idList, inScope } from "./graph-ids.js";
import { CONTENT_FIELDS, readProps, type StateNode } from "./stored-state.js";

/** Keys compared at a time when two snapshots are. */
const CHANGE_PAGE = 500;
const KEYS = 500;
const FOUND_PAGE = 500;

/** Entities as readers see them: the visible states of a key merged. */
export class DgraphEntities {
	constructor(
		private readonly connection: DgraphConnection,
		private readonly ids: GraphIds,
		private readonly records: DgraphRecords,
	) {}

	/** In byte order of the keys. */
	async byKey(scope: GraphScope, keys: readonly EntityKey[]): Promise<Entity[]> {
		const states = new Map<EntityKey, MergeableState[]>();
		const wanted = [...new Set(keys.map(wellFormed))].map(this.ids.term);
		for (const slice of chunked(wanted, KEYS)) {
			const { q } = await this.connection.query<{ q: { "~lode.of"?: StateNode[] }[] }>(
				"read entities",
				`{ q(func: eq(lode.id, ${idList(slice)})) { ~lode.of @filter(${inScope(this.ids, scope)}) { ${CONTENT_FIELDS} } } }`,
			);
			for (const node of q.flatMap((term) => term["~lode.of"] ?? [])) {
				const state = mergeable(node);
				const others = states.get(state.key);
				if (others) others.push(state);
				else states.set(state.key, [state]);
			}
		}
		return [...states.values()].map(mergeStates).sort((a, b) => compareBytes(a.key, b.key));
	}

	/** A name matches where any visible state of the entity gives it. */
	async find(scope: GraphScope, query: EntityQuery): Promise<Entity[]> {
		const found = await this.byKey(scope, await this.#matchingKeys(scope, query));
		return found.sort((a, b) => compareBytes(a.name, b.name) || compareBytes(a.key, b.key));
	}

	async countByKind(scope: GraphScope): Promise<Partial<Record<EntityKind, number>>> {
		// The first origin decides an entity's kind.
		const first = new Map<EntityKey, Pick<MergeableState, "kind" | "origin" | "source">>();
		const root =
			scope.sources === undefined
				? `eq(lode.inst, "${this.ids.installation}|states")`
				: `eq(lode.src, ${idList(scope.sources.length === 0 ? ["none"] : scope.sources.map(this.ids.source))})`;
		await this.records.forEach(
			root,
			inScope(this.ids, scope),
			(node) => {
				const { key, kind, origin, source } = mergeable(node);
				const before = first.get(key);
				const earlier = before && (compareBytes(before.origin, origin) || compareBytes(before.source, source)) <= 0;
				if (!earlier) first.set(key, { kind, origin, source });
			},
			"lode.key lode.kind lode.origin lode.source",
		);
		const counts: Partial<Record<EntityKind, number>> = {};
		for (const { kind } of first.values()) counts[kind] = (counts[kind] ?? 0) + 1;
		return counts;
	}

	async changes(
		source: string,
		from: Snapshot,
		to: Snapshot,
		after: EntityKey | undefined,
		limit: number,
	): Promise<EntityChange[]> {
		const found: EntityChange[] = [];
		for (let last = after; ; ) {
			const keys = await this.#touchedKeys(source, from, to, last);
			const [before, now] = await Promise.all(
				[from, to].map(async (snapshot) => {
					const entities = await this.byKey({ snapshot, sources: [source] }, keys);
					return new Map(entities.map((entity) => [entity.key, entity]));
				}),
			);
			for (const key of keys) {
				const change = compareEntities(before?.get(key), now?.get(key));
				if (change === undefined) continue;
				found.push(change);
				if (found.length === limit) return found;
			}
			if (keys.length < CHANGE_PAGE) return found;
			last = keys.at(-1);
		}
	}

	async #matchingKeys(scope: GraphScope, query: EntityQuery): Promise<EntityKey[]> {
		if (query.limit <= 0) return [];
		const kinds = query.kinds ?? ENTITY_KINDS.filter((kind) => kind !== "name" || query.key !== undefined);
		const found =
			query.key === undefined
				? (await Promise.all([...new Set(kinds)].map((kind) => this.#ofKind(scope, kind, query)))).flat()
				: await this.#ofKey(scope, query.key, new Set(kinds), query);
		found.sort((a, b) => compareBytes(a.name, b.name) || compareBytes(a.key, b.key));
		return [...new Set(found.map(({ key }) => key))].slice(0, query.limit);
	}

	async #ofKey(scope: GraphScope, key: EntityKey, kinds: ReadonlySet<EntityKind>, query: EntityQuery) {
		const name = query.name === undefined ? undefined : wellFormed(query.name);
		const matches = (given: string) => name === undefined || (query.prefix ? given.startsWith(name) : given === name);
		const { q } = await this.connection.query<{ q: { "~lode.of"?: StateNode[] }[] }>(
			"look for an entity",
			`{ q(func: eq(lode.id, "${this.ids.term(wellFormed(key))}")) { ~lode.of @filter(${inScope(this.ids, scope)}) { lode.key lode.kind lode.name } } }`,
		);
		return q
			.flatMap((term) => term["~lode.of"] ?? [])
			.map(named)
			.filter((state) => kinds.has(state.kind) && matches(state.name));
	}

	/** The index is ordered by kind and name, so the reading ends at the limit. */
	async #ofKind(scope: GraphScope, kind: EntityKind, query: EntityQuery) {
		const name = wellFormed(query.name ?? "");
		const exact = query.name !== undefined && !query.prefix;
		const start = this.ids.kindName(kind, name);
		const end = exact ? start : endOfPrefix(start);
		const root = exact ? "eq(lode.kname, $start)" : "between(lode.kname, $start, $end)";
		const before = exact ? "" : "lt(lode.kname, $end) AND ";
		const first = new Map<EntityKey, { name: string; key: EntityKey }>();
		for (let offset = 0; first.size < query.limit; offset += FOUND_PAGE) {
			const { q } = await this.connection.query<{ q: StateNode[] }>(
				"look for entities",
				`query q($start: string, $end: string) {
					q(func: ${root}, orderasc: lode.kname, orderasc: lode.key, first: ${FOUND_PAGE}, offset: ${offset})
					@filter(${before}${inScope(this.ids, scope)}) { lode.key lode.kind lode.name }
				}`,
				{ $start: start, $end: end ?? start },
			);
			for (const state of q.map(named)) {
				if (first.size < query.limit && !first.has(state.key)) first.set(state.key, state);
			}
			if (q.length < FOUND_PAGE) break;
		}
		return [...first.values()];
	}

	/** Keys of the source that something became visible or invisible of between the two snapshots, in order, a page of them. */
	async #touchedKeys(source: string, from: Snapshot, to: Snapshot, after: EntityKey | undefined): Promise<EntityKey[]> {
		const [low, high] = from.seq <= to.seq ? [from.seq, to.seq] : [to.seq, from.seq];
		const odd = [...new Set([...from.excluding, ...to.excluding])].filter((seq) => seq <= low);
		const roots = ["lode.added", "lode.removed"].flatMap((predicate) => [
			...(low < high ? [`between(${predicate}, ${low + 1}, ${high})`] : []),
			...(odd.length > 0 ? [`eq(${predicate}, [${odd.join(",")}])`] : []),
		]);
		if (roots.length === 0) return [];
		const mine = `@filter(eq(lode.src, "${this.ids.source(source)}") AND NOT eq(lode.kind, "name"))`;
		const blocks = roots.map((root, index) => `var(func: ${root}) ${mine} { k${index} as lode.of }`);
		const touched = roots.map((_, index) => `k${index}`).join(",");
		const { q } = await this.connection.query<{ q: { "lode.text": string }[] }>(
			"compare snapshots",
			`query q($after: string) { ${blocks.join("\n")}
				q(func: uid(${touched}), orderasc: lode.text, first: ${CHANGE_PAGE})
				${after === undefined ? "" : "@filter(gt(lode.text, $after))"} { lode.text }
			}`,
			{ $after: wellFormed(after ?? "") },
		);
		return q.map((term) => term["lode.text"]);
	}
}

const named = (node: StateNode) => ({
	key: node["lode.key"] ?? "",
	kind: (node["lode.kind"] ?? "") as EntityKind,
	name: node["lode.name"] ?? "",
});

function mergeable(node: StateNode): MergeableState {
	return {
		...named(node),
		source: node["lode.source"] ?? "",
		origin: node["lode.origin"] ?? "",
		props: readProps(node["lode.props"] ?? "{}"),
	};
}
