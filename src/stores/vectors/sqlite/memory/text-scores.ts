import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";
import { FullTextPages, type Segment } from "./full-text-pages.js";
import type { RowTable } from "./row-table.js";

/** What FTS5's bm25() uses: https://sqlite.org/fts5.html, "The bm25() function". */
const [K1, B] = [1.2, 0.75];
/** Of a term that more than half of all rows hold: it may not count against a row. */
const LEAST_IDF = 1e-6;
const POSTING_BYTES = 6;

/** The rows that a term stands in, and what its occurrences count there. In no order: each segment of the index has its own. */
interface Postings {
	readonly rows: Int32Array;
	readonly weighted: Uint16Array;
}

export interface ScoredRow {
	readonly row: number;
	readonly score: number;
}

/** BM25 of the table's rows, equal to FTS5's. Lists of terms are kept while the index stays as it is, the last used first. */
export class TextScores {
	readonly #table: RowTable;
	readonly #pages: FullTextPages;
	readonly #postings = new Map<string, Postings>();
	#segments: Segment[] | undefined;
	#totals = { rows: 0, terms: 0 };
	#kept = 0;
	#scores = new Float64Array(0);

	constructor(
		table: RowTable,
		database: SqliteDatabase,
		index: string,
		weights: readonly number[],
		/** Bytes of lists that may be kept. */
		private readonly room: () => number,
	) {
		this.#table = table;
		this.#pages = new FullTextPages(database, index, weights);
	}

	get bytes(): number {
		return this.#kept + this.#scores.byteLength;
	}

	/** To be called when rows came or went. */
	forget(): void {
		this.#segments = undefined;
		this.#postings.clear();
		this.#kept = 0;
	}

	/** In how many rows a term stands. */
	count(term: string): number {
		return this.#list(term).rows.length;
	}

	/** The `limit` best that pass, best first, the earlier first where they are equal. Scores are added up in the order of the terms. */
	best(terms: readonly string[], passing: Uint8Array, limit: number): ScoredRow[] {
		const { count, length } = this.#table;
		if (this.#scores.length < count) this.#scores = new Float64Array(Math.ceil(count * 1.2));
		const scores = this.#scores;
		const average = this.#totals.terms / this.#totals.rows;
		const lists = terms.map((term) => this.#list(term));
		for (const { rows, weighted } of lists) {
			const rarity = Math.log((this.#totals.rows - rows.length + 0.5) / (rows.length + 0.5));
			const idf = rarity <= 0 ? LEAST_IDF : rarity;
			for (let at = 0; at < rows.length; at += 1) {
				const row = rows[at] as number;
				const often = weighted[at] as number;
				scores[row] =
					(scores[row] as number) +
					idf * ((often * (K1 + 1)) / (often + K1 * (1 - B + (B * (length[row] as number)) / average)));
			}
		}
		const best = new BestRows(limit);
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

	#list(term: string): Postings {
		const known = this.#postings.get(term);
		if (known !== undefined) {
			this.#postings.delete(term);
			this.#postings.set(term, known);
			return known;
		}
		if (this.#segments === undefined) {
			this.#segments = this.#pages.segments();
			this.#totals = this.#pages.totals();
		}
		const list = this.#read(this.#segments, term);
		const bytes = list.rows.length * POSTING_BYTES;
		const room = this.room();
		if (bytes > room) return list;
		this.#postings.set(term, list);
		this.#kept += bytes;
		for (const [oldest, { rows }] of this.#postings) {
			if (this.#kept <= room) break;
			this.#postings.delete(oldest);
			this.#kept -= rows.length * POSTING_BYTES;
		}
		return list;
	}

	#read(segments: readonly Segment[], term: string): Postings {
		const table = this.#table;
		let rows = new Int32Array(64);
		let weighted = new Uint16Array(64);
		let count = 0;
		let near = 0;
		this.#pages.read(segments, term, (rowid, sum) => {
			if (rowid < (table.ids[near] as number)) near = 0;
			const row = table.find(rowid, near);
			// Deleted: its entries go when FTS5 merges them with others.
			if (row < 0 || table.isDeleted(row)) return;
			near = row;
			if (count === rows.length) {
				const [more, moreWeighted] = [new Int32Array(count * 2), new Uint16Array(count * 2)];
				more.set(rows);
				moreWeighted.set(weighted);
				[rows, weighted] = [more, moreWeighted];
			}
			rows[count] = row;
			weighted[count] = Math.min(sum, 0xffff);
			count += 1;
		});
		return { rows: rows.slice(0, count), weighted: weighted.slice(0, count) };
	}
}

/** The best so far in a heap, the least of them on top. */
class BestRows {
	readonly #rows: number[] = [];
	readonly #scores: number[] = [];
	readonly #limit: number;
	/** What a row needs at least to be one of them. */
	least = Number.NEGATIVE_INFINITY;

	constructor(limit: number) {
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
		if (score < this.least || (score === this.least && row > (this.#rows[0] as number))) return;
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

	ordered(): ScoredRow[] {
		return this.#rows
			.map((row, at) => ({ row, score: this.#scores[at] as number }))
			.sort((a, b) => b.score - a.score || a.row - b.row);
	}

	#isWorse(a: number, b: number): boolean {
		const difference = (this.#scores[a] as number) - (this.#scores[b] as number);
		return difference < 0 || (difference === 0 && (this.#rows[a] as number) > (this.#rows[b] as number));
	}

	#swap(a: number, b: number): void {
		const [row, score] = [this.#rows[a] as number, this.#scores[a] as number];
		this.#rows[a] = this.#rows[b] as number;
		this.#scores[a] = this.#scores[b] as number;
		this.#rows[b] = row;
		this.#scores[b] = score;
	}
}
