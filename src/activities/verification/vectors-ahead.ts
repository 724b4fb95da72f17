import type { Seq } from "../../domain/snapshot.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import type { StagedTally } from "../../stores/versioned.port.js";

/** Ingestions whose answer nobody fetched: some failed before they were verified. */
const KEPT = 16;

/**
 * Once an ingestion links its names, nothing more is written to the vectors for it: what they hold is summed up meanwhile, in their thread, and
 * verification need not wait for it. Only where what a write acknowledged is on disk and stays there while this process runs; a server may come back with
 * less than it had, and is asked when everything else is done. An answer is worth nothing to another process.
 */
export class VectorsAhead {
	readonly #asked = new Map<Seq, Promise<StagedTally | undefined>>();

	constructor(private readonly vectors: Pick<VectorStore, "capabilities" | "staged">) {}

	/** Every batch of the seq has been staged. */
	begin(seq: Seq, source: string): void {
		this.#asked.delete(seq);
		if (!this.vectors.capabilities.refusesClosedSeq) return;
		// Whoever verifies asks again, and hears of the failure.
		this.#asked.set(
			seq,
			this.vectors.staged(seq, source).catch(() => undefined),
		);
		const oldest = this.#asked.keys().next().value;
		if (this.#asked.size > KEPT && oldest !== undefined) this.#asked.delete(oldest);
	}

	/** What was found, once; undefined where nobody asked, or the store did not answer. */
	async take(seq: Seq): Promise<StagedTally | undefined> {
		const found = this.#asked.get(seq);
		this.#asked.delete(seq);
		return found;
	}
}
