import type { Seq } from "../../domain/snapshot.js";
import type { DiscardAnswer } from "../activity-types.js";
import type { Ports } from "../ports.js";

const ARRIVAL_MS = 5_000;

/**
 * Discards in each store. An engine that cannot refuse the writes of a closed seq may still get one that was on its way: its discard has
 * to be repeated once no such write can arrive any more, and the seq stays excluded until then.
 */
export class Discards {
	constructor(
		private readonly stores: Pick<Ports, "graph" | "vectors" | "artifacts">,
		private readonly writeDeadlineMs: number,
	) {}

	/** Whether any store needs a second discard. */
	get repeated(): boolean {
		const { graph, vectors, artifacts } = this.stores;
		return [graph, vectors, artifacts].some(({ capabilities }) => !capabilities.refusesClosedSeq);
	}

	/** When that second one may come. A request that left just before its deadline needs a moment to get there. */
	get repeatAfterMs(): number {
		return this.writeDeadlineMs + ARRIVAL_MS;
	}

	graph = (seq: Seq): Promise<DiscardAnswer> => this.#discard(this.stores.graph, seq);
	vectors = (seq: Seq): Promise<DiscardAnswer> => this.#discard(this.stores.vectors, seq);
	artifacts = (seq: Seq): Promise<DiscardAnswer> => this.#discard(this.stores.artifacts, seq);

	async all(seq: Seq): Promise<void> {
		await Promise.all([this.graph(seq), this.vectors(seq), this.artifacts(seq)]);
	}

	async #discard(
		store: { capabilities: { refusesClosedSeq: boolean }; discard(seq: Seq): Promise<void> },
		seq: Seq,
	): Promise<DiscardAnswer> {
		await store.discard(seq);
		return store.capabilities.refusesClosedSeq ? undefined : { repeatAfterMs: this.repeatAfterMs };
	}
}
