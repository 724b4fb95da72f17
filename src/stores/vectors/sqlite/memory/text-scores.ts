import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";
import type { ScoredRow } from "./best-rows.js";
import { FullTextPages, type Segment } from "./full-text-pages.js";
import { type Postings, RowScores } from "./row-scores.js";
import type { RowTable } from "./row-table.js";

const POSTING_BYTES = 6;

/** BM25 of the table's rows, equal to FTS5's. Lists of terms are kept while the index stays as it is, the last used first. */
export class TextScores {
	readonly #table: RowTable;
	readonly #pages: FullTextPages;
	readonly #postings = new Map<string, Postings>();
	#segments: Segment[] | undefined;
	#totals = { rows: 0, terms: 0 };
	#kept = 0;
	readonly #scores = new RowScores();

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
		return this.#kept + this.#scores.bytes;
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
		const lists = terms.map((term) => this.#list(term));
		return this.#scores.best(lists, this.#table, this.#totals, passing, limit);
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
