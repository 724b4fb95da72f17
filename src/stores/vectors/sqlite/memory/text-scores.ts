import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";
import type { ScoredRow } from "./best-rows.js";
import { FullTextPages, type Segment } from "./full-text-pages.js";
import { type Postings, RowScores } from "./row-scores.js";
import type { RowTable } from "./row-table.js";

const POSTING_BYTES = 6;
/** Of a list without rows, roughly: a word that nobody wrote is remembered too. */
const LIST_BYTES = 400;
const LARGEST_SUM = 0xffff;

/**
 * BM25 of the table's rows, equal to FTS5's. Lists of terms are kept, the last used first, while no row is deleted and those that come are told with
 * their terms: what a commit adds is little, and the list of a common word is long.
 */
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

	/** Whether there are lists that `add` could go on with. */
	get isEmpty(): boolean {
		return this.#postings.size === 0;
	}

	/** To be called when rows went, or came untold. */
	forget(): void {
		this.#segments = undefined;
		this.#postings.clear();
		this.#kept = 0;
	}

	/** A row that came, with what each of its terms counts in it. */
	add(row: number, terms: ReadonlyMap<string, number>): void {
		this.#segments = undefined;
		for (const [term, sum] of terms) {
			const list = this.#postings.get(term);
			if (list === undefined) continue;
			this.#postings.set(term, extended(list, row, Math.min(sum, LARGEST_SUM)));
			this.#kept += POSTING_BYTES;
		}
	}

	/** In how many rows a term stands. */
	count(term: string): number {
		this.#look();
		return this.#list(term).rows.length;
	}

	/** The `limit` best that pass, best first, the earlier first where they are equal. Scores are added up in the order of the terms. */
	best(terms: readonly string[], passing: Uint8Array, limit: number): ScoredRow[] {
		this.#look();
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
		const list = this.#read(this.#look(), term);
		const bytes = bytesOf(list);
		const room = this.room();
		if (bytes > room) return list;
		this.#postings.set(term, list);
		this.#kept += bytes;
		for (const [oldest, dropped] of this.#postings) {
			if (this.#kept <= room) break;
			this.#postings.delete(oldest);
			this.#kept -= bytesOf(dropped);
		}
		return list;
	}

	/** Where terms are read, and how many there are, since rows came or went. */
	#look(): readonly Segment[] {
		if (this.#segments === undefined) {
			this.#totals = this.#pages.totals();
			this.#segments = this.#pages.segments();
		}
		return this.#segments;
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
			weighted[count] = Math.min(sum, LARGEST_SUM);
			count += 1;
		});
		return { rows: rows.slice(0, count), weighted: weighted.slice(0, count) };
	}
}

const bytesOf = ({ rows }: Postings): number => LIST_BYTES + rows.length * POSTING_BYTES;

/** The same list with one row more, at the same place in memory while there is room behind it. */
function extended({ rows, weighted }: Postings, row: number, sum: number): Postings {
	const count = rows.length + 1;
	const hasRoom = rows.buffer.byteLength >= count * rows.BYTES_PER_ELEMENT;
	const room = hasRoom ? 0 : Math.ceil(count * 1.05) + 16;
	const [more, moreWeighted] = hasRoom
		? [new Int32Array(rows.buffer, 0, count), new Uint16Array(weighted.buffer, 0, count)]
		: [new Int32Array(new ArrayBuffer(room * 4), 0, count), new Uint16Array(new ArrayBuffer(room * 2), 0, count)];
	if (!hasRoom) {
		more.set(rows);
		moreWeighted.set(weighted);
	}
	more[count - 1] = row;
	moreWeighted[count - 1] = sum;
	return { rows: more, weighted: moreWeighted };
}
