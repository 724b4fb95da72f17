import type { Seq, Snapshot } from "../../src/domain/snapshot.js";

/**
 * The catalog's rules for numbers in memory: hands out seqs and takes snapshots, so that store suites need no catalog. One ledger a store:
 * tests that share a store share its seqs, as sources share an installation.
 */
export class Ledger {
	#nextSeq = 1;
	#number = 0;
	#highest = 0;
	readonly #open = new Set<Seq>();

	begin(): Seq {
		const seq = this.#nextSeq++;
		this.#open.add(seq);
		return seq;
	}

	/** Makes the seq visible and returns the snapshot in which it is. */
	publish(seq: Seq): Snapshot {
		this.#take(seq);
		this.#highest = Math.max(this.#highest, seq);
		this.#number += 1;
		return this.snapshot();
	}

	/** After its discard: the seq no longer needs to be excluded. */
	release(seq: Seq): void {
		this.#take(seq);
	}

	/** What a reader who comes now is given. */
	snapshot(): Snapshot {
		return {
			number: this.#number,
			seq: this.#highest,
			excluding: this.openSeqs().filter((seq) => seq < this.#highest),
			publishedAt: new Date(Date.UTC(2026, 0, 1) + this.#number * 1000).toISOString(),
		};
	}

	openSeqs(): Seq[] {
		return [...this.#open].sort((a, b) => a - b);
	}

	#take(seq: Seq): void {
		if (!this.#open.delete(seq)) throw new Error(`seq ${seq} is not open`);
	}
}
