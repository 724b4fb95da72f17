import { compareBytes } from "../../../domain/byte-order.js";
import { canonicalJson } from "../../../domain/digest.js";
import { type GraphRecord, normalRecord, normalRecordDigest } from "../../../domain/entities.js";
import type { Seq } from "../../../domain/snapshot.js";
import { wellFormed } from "../../../domain/well-formed.js";
import { chunked } from "../../sqlite/chunked.js";
import type { DgraphConnection, Transaction } from "./dgraph-client.js";
import type { DgraphGuard } from "./dgraph-guard.js";
import { CURRENT, edgePredicate } from "./dgraph-schema.js";
import { type GraphIds, idList, isCurrent, isNameKey } from "./graph-ids.js";
import { lifetimeChecksum, providesText } from "./stored-state.js";

/** Records of one transaction: a second's work, a few megabytes. */
const RECORDS = 1_000;
/** Origins whose states are retired in one transaction. */
const ORIGINS = 200;
/** Ids of one question. */
const IDS = 2_000;

interface Prepared {
	readonly id: string;
	readonly record: GraphRecord;
	readonly digest: string;
}

/** What adds records and retires them. */
export class DgraphWriter {
	/** Writes of one process that create the same terms would abort each other: they take turns. */
	#turn: Promise<unknown> = Promise.resolve();

	constructor(
		private readonly connection: DgraphConnection,
		private readonly ids: GraphIds,
		private readonly guard: DgraphGuard,
	) {}

	async stage(seq: Seq, records: Iterable<GraphRecord>): Promise<void> {
		const byId = new Map<string, Prepared>();
		for (const given of records) {
			const record = normalRecord(given);
			const id = this.ids.state(record.source, record.origin, record.key, seq);
			if (!byId.has(id)) byId.set(id, { id, record, digest: normalRecordDigest(record) });
		}
		for (const slice of chunked([...byId.values()], RECORDS)) {
			await this.#inTurn(() =>
				this.connection.transact(`stage records of seq ${seq}`, (transaction) => this.#add(transaction, seq, slice)),
			);
		}
	}

	async retire(seq: Seq, source: string, origins: readonly string[]): Promise<void> {
		const wanted = [...new Set(origins)].map((origin) => this.ids.origin(source, origin));
		for (const slice of chunked(wanted, ORIGINS)) {
			await this.#inTurn(() =>
				this.connection.transact(`retire records for seq ${seq}`, async (transaction) => {
					const { answer, slot } = await this.guard.enter<{
						q: { uid: string; "lode.digest": string; "lode.added": number }[];
					}>(
						transaction,
						seq,
						`q(func: eq(lode.org, ${idList(slice)})) @filter(lt(lode.added, ${seq}) AND ${isCurrent}) {
							uid lode.digest lode.added
						}`,
					);
					if (answer.q.length === 0) return;
					const retired = answer.q.map((state) => ({
						uid: state.uid,
						"lode.removed": seq,
						"lode.rin": this.ids.seq(seq),
						"lode.checksum": lifetimeChecksum(state["lode.digest"], state["lode.added"], seq),
					}));
					await transaction.commitWith({ set: [slot, ...retired] });
				}),
			);
		}
	}

	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const mine = this.#turn.then(work);
		this.#turn = mine.catch(() => undefined);
		return mine;
	}

	async #add(transaction: Transaction, seq: Seq, slice: readonly Prepared[]): Promise<void> {
		const texts = new Set<string>();
		const origins = new Map<string, GraphRecord>();
		for (const { record } of slice) {
			texts.add(record.key);
			for (const { to } of record.edges) texts.add(to);
			for (const { name } of record.provides) texts.add(name);
			origins.set(this.ids.originTerm(record.source, record.origin), record);
		}
		const terms = new Map([...texts].map((text) => [this.ids.term(text), text]));
		const wanted = [...slice.map(({ id }) => id), ...terms.keys(), ...origins.keys()];
		const blocks = chunked(wanted, IDS).map((ids, n) => `q${n}(func: eq(lode.id, ${idList(ids)})) { uid lode.id }`);
		const { answer, slot } = await this.guard.enter<Record<string, { uid: string; "lode.id": string }[]>>(
			transaction,
			seq,
			blocks.join("\n"),
		);
		const uids = new Map<string, string>();
		for (const n of blocks.keys()) for (const { uid, "lode.id": id } of answer[`q${n}`] ?? []) uids.set(id, uid);
		const fresh = slice.filter(({ id }) => !uids.has(id));
		if (fresh.length === 0) return;
		const set: object[] = [];
		const blank = (id: string, node: object): string => {
			const uid = `_:n${set.length}`;
			set.push({ uid, "lode.id": id, ...node });
			return uid;
		};
		for (const [id, text] of terms) {
			if (uids.has(id)) continue;
			uids.set(
				id,
				blank(id, { "lode.text": text, "lode.tk": isNameKey(text) ? "n" : "e", "lode.inst": this.ids.installation }),
			);
		}
		for (const [id, { source, origin }] of origins) {
			if (uids.has(id)) continue;
			const node = {
				"lode.text": origin,
				"lode.tk": "o",
				"lode.tsrc": this.ids.source(source),
				"lode.inst": this.ids.installation,
			};
			uids.set(id, blank(id, node));
		}
		const link = (id: string) => ({ uid: uids.get(id) as string });
		for (const { id, record, digest } of fresh) {
			const edges: Record<string, { uid: string }[]> = {};
			for (const { kind, to } of record.edges) {
				const predicate = edgePredicate(kind);
				edges[predicate] = [...(edges[predicate] ?? []), link(this.ids.term(to))];
			}
			const names = [...new Set(record.provides.map(({ name }) => name))].sort(compareBytes);
			blank(id, {
				"lode.inst": `${this.ids.installation}|states`,
				"lode.added": seq,
				"lode.removed": CURRENT,
				"lode.ain": this.ids.seq(seq),
				"lode.src": this.ids.source(record.source),
				"lode.org": this.ids.origin(record.source, record.origin),
				"lode.source": record.source,
				"lode.origin": record.origin,
				"lode.key": record.key,
				"lode.kind": record.kind,
				"lode.name": record.name,
				"lode.kname": this.ids.kindName(record.kind, record.name),
				"lode.props": canonicalJson(record.props),
				"lode.digest": digest,
				"lode.checksum": lifetimeChecksum(digest, seq, CURRENT),
				"lode.of": link(this.ids.term(record.key)),
				"lode.at": link(this.ids.originTerm(record.source, record.origin)),
				...(record.provides.length > 0 && {
					"lode.provides": providesText(record.provides),
					"lode.p": names.map((name) => link(this.ids.term(wellFormed(name)))),
				}),
				...edges,
			});
		}
		await transaction.commitWith({ set: [slot, ...set] });
	}
}
