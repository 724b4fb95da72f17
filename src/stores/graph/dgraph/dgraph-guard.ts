import { LodeError } from "../../../domain/errors.js";
import type { Seq } from "../../../domain/snapshot.js";
import type { DgraphConnection, Transaction } from "./dgraph-client.js";
import { type GraphIds, idList } from "./graph-ids.js";

/**
 * Dgraph notices that two transactions wrote the same, not that one wrote what another read. What must not overlap therefore writes something
 * in common: each write for a seq changes one of these slots, and what closes seqs or deletes terms changes all of them. Two writes
 * meet in a slot only by chance, and are then repeated.
 */
const SLOTS = 32;

interface Mark {
	readonly upTo: Seq;
	readonly except: readonly Seq[];
}

interface GuardAnswer {
	readonly guards: readonly { readonly uid: string; readonly "lode.id": string; readonly "lode.guard"?: number }[];
	readonly closed: readonly { readonly uid: string }[];
	readonly mark: readonly { readonly uid: string; readonly "lode.closed"?: string }[];
}

export class DgraphGuard {
	#next = Math.floor(Math.random() * SLOTS);
	#uids: Promise<ReadonlyMap<string, string>> | undefined;

	constructor(
		private readonly connection: DgraphConnection,
		private readonly ids: GraphIds,
	) {}

	/**
	 * For a write's own transaction, asked together with what else it wants to know (`blocks` of DQL), so that it takes no requests of its own.
	 * The write has to set `slot` too. @throws SEQ_CLOSED
	 */
	async enter<T>(transaction: Transaction, seq: Seq, blocks: string): Promise<{ answer: T; slot: object }> {
		const slots = await this.#slots();
		const uid = [...slots.values()][this.#next++ % slots.size] as string;
		const answer = await transaction.query<Pick<GuardAnswer, "closed" | "mark"> & T>(
			`{
				closed(func: eq(lode.id, "${this.ids.closedSeq(seq)}")) { uid }
				mark(func: eq(lode.id, "${this.ids.closedMark}")) { uid lode.closed }
				${blocks}
			}`,
		);
		if (answer.closed.length > 0 || isClosed(readMark(answer.mark[0]?.["lode.closed"]), seq)) {
			throw new LodeError("SEQ_CLOSED", `The graph store takes no more writes for seq ${seq}: it was closed`);
		}
		return { answer, slot: { uid, "lode.guard": tick() } };
	}

	/** Nothing that `enter`ed may overlap with the transaction that calls this. */
	async excludeAll(transaction: Transaction): Promise<void> {
		const slots = await this.#slots();
		await transaction.mutate({ set: [...slots.values()].map((uid) => ({ uid, "lode.guard": tick() })) });
	}

	/** Closes one seq, any number of times. */
	async close(seq: Seq): Promise<void> {
		await this.connection.transact(`close seq ${seq}`, async (transaction) => {
			const id = this.ids.closedSeq(seq);
			const { closed } = await transaction.query<GuardAnswer>(`{ closed(func: eq(lode.id, "${id}")) { uid } }`);
			if (closed.length > 0) return;
			await this.excludeAll(transaction);
			const set = [{ uid: "_:closed", "lode.id": id, "lode.inst": this.ids.closedMark, "lode.closed": String(seq) }];
			await transaction.mutate({ set });
		});
	}

	/** Closes every seq up to `upTo` but those in `open`; one that is closed already stays so. */
	async closeUpTo(upTo: Seq, open: readonly Seq[]): Promise<void> {
		await this.connection.transact(`close the seqs up to ${upTo}`, async (transaction) => {
			const { mark, closed } = await transaction.query<{
				mark: GuardAnswer["mark"];
				closed: { uid: string; "lode.closed": string }[];
			}>(
				`{
					mark(func: eq(lode.id, "${this.ids.closedMark}")) { uid lode.closed }
					closed(func: eq(lode.inst, "${this.ids.closedMark}")) { uid lode.closed }
				}`,
			);
			const before = readMark(mark[0]?.["lode.closed"]);
			const stillOpen = new Set(open);
			const single = new Set(closed.map((one) => Number(one["lode.closed"])));
			const except = [
				...before.except.filter((seq) => seq > upTo || stillOpen.has(seq)),
				...open.filter((seq) => seq > before.upTo && seq <= upTo),
			].filter((seq) => !single.has(seq));
			const next: Mark = { upTo: Math.max(before.upTo, upTo), except: [...new Set(except)].sort((a, b) => a - b) };
			const covered = closed.filter((one) => isClosed(next, Number(one["lode.closed"])));
			if (next.upTo === before.upTo && next.except.length === before.except.length && covered.length === 0) return;
			await this.excludeAll(transaction);
			await transaction.mutate({
				deletes: covered.flatMap(({ uid }) =>
					["lode.id", "lode.inst", "lode.closed"].map((predicate) => `<${uid}> <${predicate}> * .`),
				),
				set: [{ uid: mark[0]?.uid ?? "_:mark", "lode.id": this.ids.closedMark, "lode.closed": JSON.stringify(next) }],
			});
		});
	}

	/** Opens every seq again. */
	async openAll(): Promise<void> {
		await this.connection.transact("open all seqs", async (transaction) => {
			const { mark, closed } = await transaction.query<GuardAnswer>(
				`{
					mark(func: eq(lode.id, "${this.ids.closedMark}")) { uid }
					closed(func: eq(lode.inst, "${this.ids.closedMark}")) { uid }
				}`,
			);
			if (mark.length + closed.length === 0) return;
			await this.excludeAll(transaction);
			await transaction.mutate({
				deletes: [...mark, ...closed].flatMap(({ uid }) =>
					["lode.id", "lode.inst", "lode.closed"].map((predicate) => `<${uid}> <${predicate}> * .`),
				),
			});
		});
	}

	/** The slots' uids, made once an installation. */
	#slots(): Promise<ReadonlyMap<string, string>> {
		this.#uids ??= this.#makeSlots().catch((error: unknown) => {
			this.#uids = undefined;
			throw error;
		});
		return this.#uids;
	}

	#makeSlots(): Promise<ReadonlyMap<string, string>> {
		const wanted = Array.from({ length: SLOTS }, (_, slot) => this.ids.guard(slot));
		const read = async (query: Transaction["query"]) => {
			const { guards } = await query<GuardAnswer>(`{ guards(func: eq(lode.id, ${idList(wanted)})) { uid lode.id } }`);
			return new Map(guards.map(({ uid, "lode.id": id }) => [id, uid]));
		};
		return (async () => {
			const there = await read((dql) => this.connection.query("look for the guards", dql));
			if (there.size === SLOTS) return there;
			await this.connection.transact("make the guards", async (transaction) => {
				const known = await read((dql) => transaction.query(dql));
				const set = wanted
					.filter((id) => !known.has(id))
					.map((id, slot) => ({ uid: `_:slot${slot}`, "lode.id": id, "lode.guard": 0 }));
				await transaction.mutate({ set });
			});
			return read((dql) => this.connection.query("look for the guards", dql));
		})();
	}
}

/** Any value: that it is written is what counts. */
const tick = (): number => Math.floor(Math.random() * 2 ** 31);

export function readMark(text: string | undefined): Mark {
	if (text === undefined) return { upTo: 0, except: [] };
	try {
		const { upTo, except } = JSON.parse(text) as Mark;
		return { upTo, except };
	} catch (cause) {
		throw new LodeError("STORE_CORRUPT", "the graph's mark of closed seqs cannot be read", {
			next: "Run `lode verify`.",
			cause,
		});
	}
}

export const isClosed = ({ upTo, except }: Mark, seq: Seq): boolean => seq <= upTo && !except.includes(seq);
