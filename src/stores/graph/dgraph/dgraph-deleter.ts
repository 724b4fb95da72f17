import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import type { DgraphConnection, Transaction } from "./dgraph-client.js";
import type { DgraphGuard } from "./dgraph-guard.js";
import { CURRENT, EDGE_PREDICATES } from "./dgraph-schema.js";
import { type GraphIds, goneIn } from "./graph-ids.js";
import { lifetimeChecksum } from "./stored-state.js";

/** States deleted in one transaction. */
const SLICE = 1_000;

const TERM_EDGES: readonly string[] = ["lode.of", "lode.at", "lode.p", ...EDGE_PREDICATES];
/** On a node without a type nothing deletes "everything": each predicate is named. */
const STATE_PREDICATES: readonly string[] = [
	...[
		"id",
		"inst",
		"added",
		"removed",
		"ain",
		"rin",
		"src",
		"org",
		"source",
		"origin",
		"key",
		"kind",
		"name",
		"kname",
	].map((name) => `lode.${name}`),
	...["lode.props", "lode.provides", "lode.digest", "lode.checksum"],
	...TERM_EDGES,
];
const TERM_PREDICATES: readonly string[] = ["lode.id", "lode.inst", "lode.text", "lode.tk", "lode.tsrc"];

type Slice = readonly ({ readonly uid: string } & Readonly<Record<string, unknown>>)[];

/** What undoes and deletes, slice by slice: each is a transaction of its own, so a long deletion can be interrupted and taken up again. */
export class DgraphDeleter {
	constructor(
		private readonly connection: DgraphConnection,
		private readonly ids: GraphIds,
		private readonly guard: DgraphGuard,
	) {}

	/** Once it is closed nobody writes for the seq. */
	async discard(seq: Seq): Promise<void> {
		await this.guard.close(seq);
		const id = this.ids.seq(seq);
		for (;;) {
			const restored = await this.connection.transact(`restore what seq ${seq} retired`, async (transaction) => {
				const { q } = await transaction.query<{ q: { uid: string; "lode.digest": string; "lode.added": number }[] }>(
					`{ q(func: eq(lode.rin, "${id}"), first: ${SLICE}) { uid lode.digest lode.added } }`,
				);
				await transaction.mutate({
					deletes: q.map(({ uid }) => `<${uid}> <lode.rin> * .`),
					set: q.map((state) => ({
						uid: state.uid,
						"lode.removed": CURRENT,
						"lode.checksum": lifetimeChecksum(state["lode.digest"], state["lode.added"], CURRENT),
					})),
				});
				return q.length;
			});
			if (restored < SLICE) break;
		}
		await this.#delete(`discard seq ${seq}`, `eq(lode.ain, "${id}")`, "");
	}

	async collect(source: string, horizon: Snapshot, open: readonly Seq[]): Promise<number> {
		await this.guard.closeUpTo(horizon.seq, open);
		return this.#delete(
			`collect records of ${source}`,
			`le(lode.removed, ${horizon.seq})`,
			`@filter(eq(lode.src, "${this.ids.source(source)}") AND ${goneIn(horizon)})`,
		);
	}

	async dropSource(source: string): Promise<void> {
		await this.#delete(`delete ${source}`, `eq(lode.src, "${this.ids.source(source)}")`, "");
	}

	/** The slots of the guard stay: other processes know them by their uids. */
	async clear(): Promise<void> {
		await this.#delete("delete all states", `eq(lode.inst, "${this.ids.installation}|states")`, "");
		// Terms go with the last state that refers to them: this finds those that something else left.
		await this.#deleteNodes("delete all terms", `eq(lode.inst, "${this.ids.installation}")`, TERM_PREDICATES);
		await this.guard.openAll();
	}

	async #deleteNodes(operation: string, root: string, predicates: readonly string[]): Promise<void> {
		for (;;) {
			const gone = await this.connection.transact(operation, async (transaction) => {
				const { q } = await transaction.query<{ q: Slice }>(`{ q(func: ${root}, first: ${SLICE}) { uid } }`);
				await transaction.mutate({ deletes: q.flatMap(({ uid }) => deletionOf(uid, predicates)) });
				return q.length;
			});
			if (gone < SLICE) return;
		}
	}

	async #delete(operation: string, root: string, filter: string): Promise<number> {
		const touched = TERM_EDGES.map((predicate) => `${predicate} { uid }`).join(" ");
		for (let deleted = 0; ; ) {
			const gone = await this.connection.transact(operation, async (transaction) => {
				const { q } = await transaction.query<{ q: Slice }>(
					`{ q(func: ${root}, first: ${SLICE}) ${filter} { uid ${touched} } }`,
				);
				if (q.length === 0) return 0;
				// Nobody may begin to refer to a term between the count and its deletion.
				await this.guard.excludeAll(transaction);
				await transaction.mutate({ deletes: q.flatMap(({ uid }) => deletionOf(uid, STATE_PREDICATES)) });
				await this.#deleteUnused(transaction, q);
				return q.length;
			});
			deleted += gone;
			if (gone < SLICE) return deleted;
		}
	}

	/** The terms that these states referred to, where no other state does. The transaction sees its own deletions. */
	async #deleteUnused(transaction: Transaction, states: Slice): Promise<void> {
		const touched = new Set<string>();
		for (const state of states) {
			for (const predicate of TERM_EDGES) {
				const value = state[predicate];
				for (const { uid } of (Array.isArray(value) ? value : value ? [value] : []) as { uid: string }[])
					touched.add(uid);
			}
		}
		if (touched.size === 0) return;
		const counts = TERM_EDGES.map((predicate) => `count(~${predicate})`).join(" ");
		const { q } = await transaction.query<{ q: ({ uid: string } & Record<string, number>)[] }>(
			`{ q(func: uid(${[...touched].join(",")})) { uid ${counts} } }`,
		);
		const unused = q.filter((term) => TERM_EDGES.every((predicate) => (term[`count(~${predicate})`] ?? 0) === 0));
		await transaction.mutate({ deletes: unused.flatMap(({ uid }) => deletionOf(uid, TERM_PREDICATES)) });
	}
}

const deletionOf = (uid: string, predicates: readonly string[]): string[] =>
	predicates.map((predicate) => `<${uid}> <${predicate}> * .`);
