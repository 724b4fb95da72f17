export interface ScoredRow {
	readonly row: number;
	readonly score: number;
}

/** The best so far in a heap, the least of them on top. */
export class BestRows {
	readonly #rows: number[] = [];
	readonly #scores: number[] = [];
	readonly #limit: number;
	/** What a row needs at least to be one of them. */
	least = Number.NEGATIVE_INFINITY;

	/** `order`: which of two rows of the same score comes first, as a sort's comparison. */
	constructor(
		limit: number,
		private readonly order: (a: number, b: number) => number = (a, b) => a - b,
	) {
		this.#limit = limit;
		if (limit < 1) this.least = Number.POSITIVE_INFINITY;
	}

	add(row: number, score: number): void {
		const size = this.#rows.length;
		if (size < this.#limit) {
			this.#rows.push(row);
			this.#scores.push(score);
			for (let at = size; at > 0; ) {
				const above = (at - 1) >> 1;
				if (!this.#isWorse(at, above)) break;
				this.#swap(at, above);
				at = above;
			}
			if (size + 1 === this.#limit) this.least = this.#scores[0] as number;
			return;
		}
		if (score < this.least || (score === this.least && this.order(row, this.#rows[0] as number) > 0)) return;
		this.#rows[0] = row;
		this.#scores[0] = score;
		for (let at = 0; ; ) {
			let worst = at;
			for (const below of [at * 2 + 1, at * 2 + 2]) if (below < size && this.#isWorse(below, worst)) worst = below;
			if (worst === at) break;
			this.#swap(at, worst);
			at = worst;
		}
		this.least = this.#scores[0] as number;
	}

	/** In no order. */
	rows(): number[] {
		return [...this.#rows];
	}

	ordered(): ScoredRow[] {
		return this.#rows
			.map((row, at) => ({ row, score: this.#scores[at] as number }))
			.sort((a, b) => b.score - a.score || this.order(a.row, b.row));
	}

	#isWorse(a: number, b: number): boolean {
		const difference = (this.#scores[a] as number) - (this.#scores[b] as number);
		return difference < 0 || (difference === 0 && this.order(this.#rows[a] as number, this.#rows[b] as number) > 0);
	}

	#swap(a: number, b: number): void {
		const [row, score] = [this.#rows[a] as number, this.#scores[a] as number];
		this.#rows[a] = this.#rows[b] as number;
		this.#scores[a] = this.#scores[b] as number;
		this.#rows[b] = row;
		this.#scores[b] = score;
	}
}
