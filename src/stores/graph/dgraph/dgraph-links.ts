import { compareBytes } from "../../../domain/byte-order.js";
import type { EntityKey } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import { chunked } from "../../sqlite/chunked.js";
import type { NameCandidate } from "../graph.port.js";
import type { DgraphConnection } from "./dgraph-client.js";
import { type GraphIds, idList, visible } from "./graph-ids.js";
import { readProvides, type StateNode } from "./stored-state.js";

const NAMES = 200;

/** What the link step asks: which names may lead elsewhere now, and to what. */
export class DgraphLinks {
	constructor(
		private readonly connection: DgraphConnection,
		private readonly ids: GraphIds,
	) {}

	async touchedNames(seq: Seq, source: string, after: EntityKey | undefined, limit: number): Promise<EntityKey[]> {
		const mine = `@filter(eq(lode.src, "${this.ids.source(source)}"))`;
		const { q } = await this.connection.query<{ q: { "lode.text": string }[] }>(
			`list the names of seq ${seq}`,
			`query q($after: string) {
				var(func: eq(lode.ain, "${this.ids.seq(seq)}")) ${mine} { a as lode.p }
				var(func: eq(lode.rin, "${this.ids.seq(seq)}")) ${mine} { r as lode.p }
				q(func: uid(a, r), orderasc: lode.text, first: ${limit})
				${after === undefined ? "" : "@filter(gt(lode.text, $after))"} { lode.text }
			}`,
			{ $after: wellFormed(after ?? "") },
		);
		return q.map((term) => term["lode.text"]);
	}

	async candidates(
		seq: Seq,
		source: string,
		base: Snapshot,
		names: readonly EntityKey[],
		limit: number,
	): Promise<NameCandidate[]> {
		if (limit <= 0) return [];
		const wanted = [...new Set(names.map(wellFormed))];
		const staging = `eq(lode.src, "${this.ids.source(source)}") AND ((${visible(base)}) OR eq(lode.added, ${seq})) AND NOT eq(lode.removed, ${seq})`;
		const byName = new Map<EntityKey, NameCandidate[]>();
		for (const slice of chunked(wanted, NAMES)) {
			const { q } = await this.connection.query<{ q: { "lode.text": string; "~lode.p"?: StateNode[] }[] }>(
				`look for what seq ${seq} may link`,
				`{ q(func: eq(lode.id, ${idList(slice.map(this.ids.term))})) {
					lode.text ~lode.p @filter(${staging}) { lode.key lode.provides }
				} }`,
			);
			for (const { "lode.text": name, "~lode.p": states = [] } of q) {
				const found = states.flatMap((state) =>
					readProvides(state["lode.provides"])
						.filter((provided) => provided.name === name)
						.map(({ rank }) => ({ name, target: state["lode.key"] ?? "", rank })),
				);
				byName.set(
					name,
					found.sort((a, b) => a.rank - b.rank || compareBytes(a.target, b.target)),
				);
			}
		}
		return wanted.flatMap((name) => {
			// A target that provides a name twice counts with its first rank.
			const first = new Map<EntityKey, NameCandidate>();
			for (const one of byName.get(name) ?? []) if (!first.has(one.target)) first.set(one.target, one);
			return [...first.values()].slice(0, limit);
		});
	}
}
