import { compareBytes } from "../../../domain/byte-order.js";
import { EDGE_KINDS, type EdgeKind, type EntityKey } from "../../../domain/entities.js";
import { wellFormed } from "../../../domain/well-formed.js";
import { chunked } from "../../sqlite/chunked.js";
import type { GraphScope, Neighbour, NeighbourQuery } from "../graph.port.js";
import { cutNeighbours, type FoundEdge } from "../neighbour-order.js";
import type { DgraphConnection } from "./dgraph-client.js";
import { edgePredicate } from "./dgraph-schema.js";
import { type GraphIds, idList, inScope, isNameKey } from "./graph-ids.js";

/** Keys of one question. */
const KEYS = 50;
/** Entities with more states, or more edges into them, are asked one by one, cut by the server at the limit. */
const HUB = 400;

interface TermAnswer {
	readonly "lode.text": string;
}
interface NameAnswer extends TermAnswer {
	readonly "~lode.of"?: readonly { readonly "lode.e_REFERENCES"?: readonly TermAnswer[] }[];
}
type Nested = TermAnswer & Readonly<Record<string, unknown>>;

/**
 * The edges of some entities in one scope. Names are looked through: an edge to a name leads to what the name's visible link state
 * refers to, and an entity has the edges that point to its names. A name that is itself asked for shows its own edges as they are stored.
 */
export class NeighbourSearch {
	readonly #seen: string;
	readonly #kinds: readonly EdgeKind[];

	constructor(
		private readonly connection: DgraphConnection,
		private readonly ids: GraphIds,
		scope: GraphScope,
		private readonly query: NeighbourQuery,
	) {
		this.#seen = inScope(ids, scope);
		const asked = query.kinds;
		this.#kinds = asked === undefined ? EDGE_KINDS : EDGE_KINDS.filter((kind) => asked.includes(kind));
	}

	async run(): Promise<Neighbour[]> {
		const keys = [...new Set(this.query.keys.map(wellFormed))].sort(compareBytes);
		if (this.query.limit <= 0 || this.#kinds.length === 0) return [];
		const found: Neighbour[][] = [];
		for (const slice of chunked(keys, KEYS)) {
			const edges = this.query.direction === "out" ? await this.#leaving(slice) : await this.#arriving(slice);
			for (const key of slice) {
				const cut = cutNeighbours(edges.get(key) ?? [], this.query.limit);
				found.push(
					cut.map(({ kind, other, via }) =>
						this.query.direction === "out"
							? { from: key, kind, to: other, ...(via && { via }) }
							: { from: other, kind, to: key, ...(via && { via }) },
					),
				);
			}
		}
		return found.flat();
	}

	async #leaving(keys: readonly EntityKey[]): Promise<Map<EntityKey, FoundEdge[]>> {
		const counts = await this.#counts(keys, ["lode.of"]);
		const small = keys.filter((key) => (counts.get(key) ?? 0) > 0 && (counts.get(key) ?? 0) <= HUB);
		const edges = new Map<EntityKey, FoundEdge[]>();
		const names = new Map<EntityKey, { kind: EdgeKind; name: EntityKey }[]>();
		const add = (key: EntityKey, kind: EdgeKind, texts: readonly TermAnswer[]) => {
			for (const { "lode.text": text } of texts) {
				// A name that was asked for shows what it leads to as it is stored.
				if (isNameKey(text) && !isNameKey(key)) push(names, key, { kind, name: text });
				else push(edges, key, { kind, other: text });
			}
		};
		if (small.length > 0) {
			const fields = this.#kinds.map((kind) => `${edgePredicate(kind)} { lode.text }`).join(" ");
			const { q } = await this.#ask<Nested>(
				`{ q(func: eq(lode.id, ${this.#terms(small)})) { lode.text ~lode.of @filter(${this.#seen}) { ${fields} } } }`,
			);
			for (const term of q) {
				for (const state of (term["~lode.of"] ?? []) as Readonly<Record<string, readonly TermAnswer[]>>[]) {
					for (const kind of this.#kinds) add(term["lode.text"], kind, state[edgePredicate(kind)] ?? []);
				}
			}
		}
		for (const key of keys.filter((one) => (counts.get(one) ?? 0) > HUB)) {
			for (const kind of this.#kinds) add(key, kind, await this.#leavingHub(key, kind));
		}
		await this.#throughNames(names, edges);
		return edges;
	}

	/** All of the names, and of the rest the first ones. */
	async #leavingHub(key: EntityKey, kind: EdgeKind): Promise<TermAnswer[]> {
		const block = `var(func: eq(lode.id, ${this.#terms([key])})) { ~lode.of @filter(${this.#seen}) { e as ${edgePredicate(kind)} } }`;
		if (isNameKey(key)) {
			const { q } = await this.#ask<TermAnswer>(
				`{ ${block} q(func: uid(e), orderasc: lode.text, first: ${this.query.limit}) { lode.text } }`,
			);
			return [...q];
		}
		const { q, names } = await this.connection.query<{ q: TermAnswer[]; names: TermAnswer[] }>(
			"read edges",
			`{ ${block}
				q(func: uid(e), orderasc: lode.text, first: ${this.query.limit}) @filter(NOT eq(lode.tk, "n")) { lode.text }
				names(func: uid(e)) @filter(eq(lode.tk, "n")) { lode.text }
			}`,
		);
		return [...q, ...names];
	}

	/** Adds what names lead to; one that leads nowhere is itself the end. */
	async #throughNames(
		names: ReadonlyMap<EntityKey, readonly { kind: EdgeKind; name: EntityKey }[]>,
		edges: Map<EntityKey, FoundEdge[]>,
	): Promise<void> {
		const all = [...new Set([...names.values()].flat().map(({ name }) => name))];
		const targets = new Map<EntityKey, Set<EntityKey>>();
		for (const slice of chunked(all, 500)) {
			const { q } = await this.#ask<NameAnswer>(
				`{ q(func: eq(lode.id, ${this.#terms(slice)})) {
					lode.text ~lode.of @filter(eq(lode.kind, "name") AND ${this.#seen}) { lode.e_REFERENCES { lode.text } }
				} }`,
			);
			for (const name of q) {
				const found = (name["~lode.of"] ?? []).flatMap((state) => state["lode.e_REFERENCES"] ?? []);
				targets.set(name["lode.text"], new Set(found.map((term) => term["lode.text"])));
			}
		}
		for (const [key, ofKey] of names) {
			for (const { kind, name } of ofKey) {
				const leads = targets.get(name) ?? new Set();
				if (leads.size === 0) push(edges, key, { kind, other: name });
				for (const other of leads) push(edges, key, { kind, other, via: name });
			}
		}
	}

	async #arriving(keys: readonly EntityKey[]): Promise<Map<EntityKey, FoundEdge[]>> {
		const edges = await this.#arrivingAt(keys);
		const entities = keys.filter((key) => !isNameKey(key));
		if (entities.length === 0) return edges;
		// The names that lead to an entity, and who has edges to those.
		const { q } = await this.#ask<Nested>(
			`{ q(func: eq(lode.id, ${this.#terms(entities)})) {
				lode.text ~lode.e_REFERENCES @filter(eq(lode.kind, "name") AND ${this.#seen}) { lode.key }
			} }`,
		);
		const namesOf = new Map<EntityKey, Set<EntityKey>>();
		for (const term of q) {
			const names = ((term["~lode.e_REFERENCES"] ?? []) as { "lode.key": string }[]).map((state) => state["lode.key"]);
			namesOf.set(term["lode.text"], new Set(names.filter(isNameKey)));
		}
		const atNames = await this.#arrivingAt([...new Set([...namesOf.values()].flatMap((names) => [...names]))], false);
		for (const [key, names] of namesOf) {
			for (const name of names) for (const edge of atNames.get(name) ?? []) push(edges, key, { ...edge, via: name });
		}
		return edges;
	}

	/** `asked`: a name among the keys shows link states too. */
	async #arrivingAt(keys: readonly EntityKey[], asked = true): Promise<Map<EntityKey, FoundEdge[]>> {
		const edges = new Map<EntityKey, FoundEdge[]>();
		for (const slice of chunked(keys, KEYS)) {
			const counts = await this.#counts(slice, this.#kinds.map(edgePredicate));
			const linking = (key: EntityKey) => (asked && isNameKey(key) ? "" : 'NOT eq(lode.kind, "name") AND ');
			for (const names of [false, true]) {
				const small = slice.filter((key) => {
					const count = counts.get(key) ?? 0;
					return count > 0 && count <= HUB && (asked && isNameKey(key)) === names;
				});
				const [first] = small;
				if (first === undefined) continue;
				const fields = this.#kinds
					.map((kind) => `~${edgePredicate(kind)} @filter(${linking(first)}${this.#seen}) { lode.key }`)
					.join(" ");
				const { q } = await this.#ask<Nested>(
					`{ q(func: eq(lode.id, ${this.#terms(small)})) { lode.text ${fields} } }`,
				);
				for (const term of q) {
					for (const kind of this.#kinds) {
						const states = (term[`~${edgePredicate(kind)}`] ?? []) as { "lode.key": string }[];
						for (const state of states) push(edges, term["lode.text"], { kind, other: state["lode.key"] });
					}
				}
			}
			for (const key of slice.filter((one) => (counts.get(one) ?? 0) > HUB)) {
				for (const kind of this.#kinds) {
					const { q } = await this.#ask<TermAnswer>(
						`{ var(func: eq(lode.id, ${this.#terms([key])})) {
								~${edgePredicate(kind)} @filter(${linking(key)}${this.#seen}) { f as lode.of }
							}
							q(func: uid(f), orderasc: lode.text, first: ${this.query.limit}) { lode.text }
						}`,
					);
					for (const { "lode.text": other } of q) push(edges, key, { kind, other });
				}
			}
		}
		return edges;
	}

	/** How many states refer to each key by any of these predicates, in every version. */
	async #counts(keys: readonly EntityKey[], predicates: readonly string[]): Promise<Map<EntityKey, number>> {
		if (keys.length === 0) return new Map();
		const fields = predicates.map((predicate, index) => `c${index}: count(~${predicate})`).join(" ");
		const { q } = await this.#ask<Nested>(`{ q(func: eq(lode.id, ${this.#terms(keys)})) { lode.text ${fields} } }`);
		return new Map(
			q.map((term) => [
				term["lode.text"],
				predicates.reduce((sum, _, index) => sum + ((term[`c${index}`] as number | undefined) ?? 0), 0),
			]),
		);
	}

	#ask<T>(dql: string): Promise<{ q: readonly T[] }> {
		return this.connection.query("read edges", dql);
	}

	#terms(keys: readonly EntityKey[]): string {
		return idList(keys.map(this.ids.term));
	}
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
	const known = map.get(key);
	if (known) known.push(value);
	else map.set(key, [value]);
}
