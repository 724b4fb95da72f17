import { compareBytes } from "../../../domain/byte-order.js";
import { type Tally, TallyBuilder } from "../../../domain/digest.js";
import { type GraphRecord, normalRecordDigest } from "../../../domain/entities.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { chunked } from "../../sqlite/chunked.js";
import type { OriginTally, StagedTally } from "../../versioned.port.js";
import type { DgraphConnection } from "./dgraph-client.js";
import { type GraphIds, idList, visible } from "./graph-ids.js";
import { RECORD_FIELDS, type StateNode, toRecord } from "./stored-state.js";

/** States read at a time: a few megabytes. */
const PAGE = 1_000;
const ORIGINS = 500;

/** Reads whole records and sums their digests, always from the content. */
export class DgraphRecords {
	constructor(
		private readonly connection: DgraphConnection,
		private readonly ids: GraphIds,
	) {}

	async staged(seq: Seq, source: string, origins: readonly string[] | undefined): Promise<StagedTally> {
		const [added, retired] = [new TallyBuilder(), new TallyBuilder()];
		const visit = (node: StateNode) =>
			void (node["lode.added"] === seq ? added : retired).add(normalRecordDigest(toRecord(node)));
		if (origins === undefined) {
			const ofSource = `eq(lode.src, "${this.ids.source(source)}")`;
			await this.forEach(`eq(lode.ain, "${this.ids.seq(seq)}")`, ofSource, visit);
			await this.forEach(`eq(lode.rin, "${this.ids.seq(seq)}")`, `${ofSource} AND NOT eq(lode.added, ${seq})`, visit);
		} else {
			const wanted = [...new Set(origins)].map((origin) => this.ids.origin(source, origin));
			for (const slice of chunked(wanted, ORIGINS)) {
				await this.forEach(
					`eq(lode.org, ${idList(slice)})`,
					`(eq(lode.added, ${seq}) OR eq(lode.removed, ${seq}))`,
					visit,
				);
			}
		}
		return { added: added.build(), retired: retired.build() };
	}

	async tally(snapshot: Snapshot, source: string): Promise<Tally> {
		const whole = new TallyBuilder();
		await this.forEach(`eq(lode.src, "${this.ids.source(source)}")`, visible(snapshot), (node) => {
			whole.add(normalRecordDigest(toRecord(node)));
		});
		return whole.build();
	}

	/** Origins in order, with their states; those without a visible one are passed over. */
	async tallies(snapshot: Snapshot, source: string, after: string | undefined, limit: number): Promise<OriginTally[]> {
		const found: OriginTally[] = [];
		for (let last = after; found.length < limit; ) {
			const { q } = await this.connection.query<{ q: { "lode.text": string; states: number }[] }>(
				"list origins",
				`query q($after: string) { q(func: eq(lode.tsrc, "${this.ids.source(source)}"), orderasc: lode.text, first: ${ORIGINS})
					${last === undefined ? "" : "@filter(gt(lode.text, $after))"} { lode.text }
				}`,
				{ $after: last ?? "" },
			);
			const origins = q.map((node) => node["lode.text"]);
			const tallies = new Map(origins.map((origin) => [origin, new TallyBuilder()]));
			const wanted = origins.map((origin) => this.ids.origin(source, origin));
			if (wanted.length > 0) {
				await this.forEach(`eq(lode.org, ${idList(wanted)})`, visible(snapshot), (node) => {
					tallies.get(node["lode.origin"] ?? "")?.add(normalRecordDigest(toRecord(node)));
				});
			}
			for (const [origin, builder] of tallies) {
				const tally = builder.build();
				if (tally.count > 0) found.push({ origin, tally });
			}
			if (origins.length < ORIGINS) break;
			last = origins.at(-1);
		}
		return found.slice(0, limit);
	}

	async records(snapshot: Snapshot, source: string, origin: string): Promise<GraphRecord[]> {
		const records: GraphRecord[] = [];
		await this.forEach(`eq(lode.org, "${this.ids.origin(source, origin)}")`, visible(snapshot), (node) => {
			records.push(toRecord(node));
		});
		return records.sort((a, b) => compareBytes(a.key, b.key));
	}

	/** Page by page, in the order of uids, which are never used again. What a snapshot shows never changes, so pages need no common transaction. */
	async forEach(
		root: string,
		filter: string,
		visit: (node: StateNode) => void | Promise<void>,
		fields = RECORD_FIELDS,
	): Promise<void> {
		for (let after = "0x0"; ; ) {
			const { q } = await this.connection.query<{ q: StateNode[] }>(
				"read records",
				`{ q(func: ${root}, first: ${PAGE}, after: ${after}) ${filter === "" ? "" : `@filter(${filter})`} { uid ${fields} } }`,
			);
			for (const node of q) await visit(node);
			const last = q.at(-1);
			if (q.length < PAGE || last === undefined) return;
			after = last.uid;
		}
	}
}
