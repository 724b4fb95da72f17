import { BestRows, type ScoredRow } from "./best-rows.js";

/** What FTS5's bm25() uses: https://sqlite.org/fts5.html, "The bm25() function". */
const [K1, B] = [1.2, 0.75];
/** Of a term that more than half of all rows hold: it may not count against a row. */
const LEAST_IDF = 1e-6;

/** The rows that a term stands in, in no order, and what its occurrences count there. */
export interface Postings {
	readonly rows: Int32Array;
	readonly weighted: Uint16Array;
}

/** BM25 of rows as FTS5 computes it. */
export class RowScores {
	#scores = new Float64Array(0);

	get bytes(): number {
		return this.#scores.byteLength;
	}

	/** The `limit` best that pass, best first, in `order` where they are equal. Scores are added up in the order of the lists, one a term. */
	best(
		lists: readonly Postings[],
		{ count, length }: { readonly count: number; readonly length: Int32Array },
		totals: { readonly rows: number; readonly terms: number },
		passing: Uint8Array,
		limit: number,
		order?: (a: number, b: number) => number,
	): ScoredRow[] {
		if (this.#scores.length < count) this.#scores = new Float64Array(Math.ceil(count * 1.2));
		const scores = this.#scores;
		const average = totals.terms / totals.rows;
		for (const { rows, weighted } of lists) {
			const rarity = Math.log((totals.rows - rows.length + 0.5) / (rows.length + 0.5));
			const idf = rarity <= 0 ? LEAST_IDF : rarity;
			for (let at = 0; at < rows.length; at += 1) {
				const row = rows[at] as number;
				const often = weighted[at] as number;
				scores[row] =
					(scores[row] as number) +
					idf * ((often * (K1 + 1)) / (often + K1 * (1 - B + (B * (length[row] as number)) / average)));
			}
		}
		const best = new BestRows(limit, order);
		for (const { rows } of lists) {
			for (let at = 0; at < rows.length; at += 1) {
				const row = rows[at] as number;
				const score = scores[row] as number;
				if (score === 0) continue;
				// Leaves the column as it was.
				scores[row] = 0;
				if (passing[row] === 1 && score >= best.least) best.add(row, score);
			}
		}
		return best.ordered();
	}
}
