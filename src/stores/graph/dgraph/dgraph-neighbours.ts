import pLimit from "p-limit";
import { compareBytes } from "../../../domain/byte-order.js";
import { EDGE_KINDS, type EdgeKind, type EntityKey } from "../../../domain/entities.js";
import { wellFormed } from "../../../domain/well-formed.js";
import { chunked } from "../../sqlite/chunked.js";
import type { GraphScope, Neighbour, NeighbourQuery } from "../graph.port.js";
import { cutNeighbours, type FoundEdge } from "../neighbour-order.js";
import type { DgraphConnection } from "./dgraph-client.js";
import { edgePredicate } from "./dgraph-schema.js";
import { type GraphIds, idList, inScope, isNameKey } from "./graph-ids.js";

/** Keys of one question, and questions at a time. */
const KEYS = 50;
const AT_ONCE = 4;
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
		const limit = pLimit(AT_ONCE);
		const found = await Promise.all(chunked(keys, KEYS).map((slice) => limit(() => this.#neighbours(slice))));
		return found.flat();
	}

	async #neighbours(keys: readonly EntityKey[]): Promise<Neighbour[]> {
		const out = this.query.direction === "out";
		const edges = out ? await this.#leaving(keys) : await this.#arriving(keys);
		return keys.flatMap((key) =>
			cutNeighbours(edges.get(key) ?? [], this.query.limit).map(({ kind, other, via }) => {
				const [from, to] = out ? [key, other] : [other, key];
				return { from, kind, to, ...(via && { via }) };
			}),
		);
	}

	/** One request: the edges, what the names among them lead to, and which keys are hubs. */
	async #leaving(keys: readonly EntityKey[]): Promise<Map<EntityKey, FoundEdge[]>> {
		const fields = this.#kinds.map((kind, at) => `e${at} as ${edgePredicate(kind)} { lode.text }`).join(" ");
		const targets = this.#kinds.map((_, at) => `e${at}`).join(",");
		const { q, hubs, names } = await this.connection.query<{ q: Nested[]; hubs: TermAnswer[]; names: NameAnswer[] }>(
			"read edges",
			`{
				t as var(func: eq(lode.id, ${this.#terms(keys)})) { n as count(~lode.of) }
				q(func: uid(t)) @filter(le(val(n), ${HUB})) { lode.text ~lode.of @filter(${this.#seen}) { ${fields} } }
				hubs(func: uid(t)) @filter(gt(val(n), ${HUB})) { lode.text }
				names(func: uid(${targets})) @filter(eq(lode.tk, "n")) { ${this.#leadingTo()} }
			}`,
		);
		const edges = new Map<EntityKey, FoundEdge[]>();
		const toNames = new Map<EntityKey, { kind: EdgeKind; name: EntityKey }[]>();
		const add = (key: EntityKey, kind: EdgeKind, texts: readonly TermAnswer[]) => {
			for (const { "lode.text": text } of texts) {
				// A name that was asked for shows what it leads to as it is stored.
				if (isNameKey(text) && !isNameKey(key)) push(toNames, key, { kind, name: text });
				else push(edges, key, { kind, other: text });
			}
		};
		for (const term of q) {
			for (const state of (term["~lode.of"] ?? []) as Readonly<Record<string, readonly TermAnswer[]>>[]) {
				for (const kind of this.#kinds) add(term["lode.text"], kind, state[edgePredicate(kind)] ?? []);
			}
		}
		this.#throughNames(toNames, names, edges);
		for (const { "lode.text": key } of hubs) {
			toNames.clear();
			for (const kind of this.#kinds) add(key, kind, await this.#leavingHub(key, kind));
			const asked = [...new Set([...toNames.values()].flat().map(({ name }) => name))];
			const answers: NameAnswer[] = [];
			for (const slice of chunked(asked, 500)) {
				const answer = await this.#ask<NameAnswer>(
					`{ q(func: eq(lode.id, ${this.#terms(slice)})) { ${this.#leadingTo()} } }`,
				);
				answers.push(...answer.q);
			}
			this.#throughNames(toNames, answers, edges);
		}
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

	/** Of a name: what its visible link state refers to. */
	#leadingTo(): string {
		return `lode.text ~lode.of @filter(eq(lode.kind, "name") AND ${this.#seen}) { lode.e_REFERENCES { lode.text } }`;
	}

	/** Adds what names lead to; one that leads nowhere is itself the end. */
	#throughNames(
		names: ReadonlyMap<EntityKey, readonly { kind: EdgeKind; name: EntityKey }[]>,
		answers: readonly NameAnswer[],
		edges: Map<EntityKey, FoundEdge[]>,
	): void {
		const targets = new Map<EntityKey, Set<EntityKey>>();
		for (const name of answers) {
			const found = (name["~lode.of"] ?? []).flatMap((state) => state["lode.e_REFERENCES"] ?? []);
			targets.set(name["lode.text"], new Set(found.map((term) => term["lode.text"])));
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
		const namesOf = new Map<EntityKey, Set<EntityKey>>();
		const edges = await this.#arrivingAt(keys, namesOf);
		const names = [...new Set([...namesOf.values()].flatMap((some) => [...some]))];
		const atNames = new Map<EntityKey, FoundEdge[]>();
		for (const slice of chunked(names, KEYS)) {
			for (const [name, some] of await this.#arrivingAt(slice)) atNames.set(name, some);
		}
		for (const [key, some] of namesOf) {
			for (const name of some) for (const edge of atNames.get(name) ?? []) push(edges, key, { ...edge, via: name });
		}
		return edges;
	}

	/**
	 * One request, and some for each hub. `namesOf`: the keys were asked for. Then it gets the names that lead to each entity, and a name among them
	 * shows link states too.
	 */
	async #arrivingAt(
		keys: readonly EntityKey[],
		namesOf?: Map<EntityKey, Set<EntityKey>>,
	): Promise<Map<EntityKey, FoundEdge[]>> {
		const edges = new Map<EntityKey, FoundEdge[]>();
		const linking = (shown: boolean) => (shown ? "" : 'NOT eq(lode.kind, "name") AND ');
		const blocks: string[] = [];
		for (const shown of [false, true]) {
			const some = keys.filter((key) => (namesOf !== undefined && isNameKey(key)) === shown);
			if (some.length === 0) continue;
			const [t, n, x] = shown ? ["s", "m", "d"] : ["t", "n", "c"];
			const counts = this.#kinds.map((kind, at) => `${x}${at} as count(~${edgePredicate(kind)})`).join(" ");
			const sum = this.#kinds.map((_, at) => `${x}${at}`).join(" + ");
			const fields = this.#kinds
				.map((kind) => `~${edgePredicate(kind)} @filter(${linking(shown)}${this.#seen}) { lode.key }`)
				.join(" ");
			blocks.push(
				`${t} as var(func: eq(lode.id, ${this.#terms(some)})) { ${counts} ${n} as math(${sum}) }
				q${t}(func: uid(${t})) @filter(le(val(${n}), ${HUB})) { lode.text ${fields} }
				h${t}(func: uid(${t})) @filter(gt(val(${n}), ${HUB})) { lode.text }`,
			);
			if (shown || namesOf === undefined) continue;
			blocks.push(
				`names(func: uid(t)) { lode.text ~lode.e_REFERENCES @filter(eq(lode.kind, "name") AND ${this.#seen}) { lode.key } }`,
			);
		}
		const answer = await this.connection.query<Partial<Record<"qt" | "ht" | "qs" | "hs" | "names", Nested[]>>>(
			"read edges",
			`{ ${blocks.join("\n")} }`,
		);
		for (const term of [...(answer.qt ?? []), ...(answer.qs ?? [])]) {
			for (const kind of this.#kinds) {
				const states = (term[`~${edgePredicate(kind)}`] ?? []) as { "lode.key": string }[];
				for (const state of states) push(edges, term["lode.text"], { kind, other: state["lode.key"] });
			}
		}
		for (const term of answer.names ?? []) {
			const names = ((term["~lode.e_REFERENCES"] ?? []) as { "lode.key": string }[]).map((state) => state["lode.key"]);
			namesOf?.set(term["lode.text"], new Set(names.filter(isNameKey)));
		}
		for (const { "lode.text": key } of [...(answer.ht ?? []), ...(answer.hs ?? [])]) {
			const shown = linking(namesOf !== undefined && isNameKey(key));
			for (const kind of this.#kinds) {
				const { q } = await this.#ask<TermAnswer>(
					`{ var(func: eq(lode.id, ${this.#terms([key])})) {
							~${edgePredicate(kind)} @filter(${shown}${this.#seen}) { f as lode.of }
						}
						q(func: uid(f), orderasc: lode.text, first: ${this.query.limit}) { lode.text }
					}`,
				);
				for (const { "lode.text": other } of q) push(edges, key, { kind, other });
			}
		}
		return edges;
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
