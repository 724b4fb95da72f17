import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";

/**
 * Reads how often a term stands in which rows straight from FTS5's pages. A query through FTS5 costs a microsecond for each row that has a
 * term, because it is asked row by row; a page of them is a few instructions a row. Structures: https://sqlite.org/fts5.html#fts5_data_structures
 * and the comments at the head of SQLite's fts5_index.c. What does not look as they say is a RangeError, and FTS5 itself is asked then.
 */
const STRUCTURE_ROW = 10;
const AVERAGES_ROW = 1;
/** Rowids of pages: the segment's number above this bit. */
const SEGMENT_STEP = 2 ** 37;
/** After the four bytes of a cookie, in structures that know of deletions from contentless tables. */
const KNOWS_DELETIONS = 0xff00_0001;

export interface Segment {
	readonly id: number;
	readonly first: number;
	readonly last: number;
}

/** Calls back with what a term counts in a row, rows of a segment ascending. */
export type OnPosting = (rowid: number, weighted: number) => void;

export class FullTextPages {
	constructor(
		private readonly database: SqliteDatabase,
		private readonly name: string,
		/** What an occurrence in each column counts. */
		private readonly weights: readonly number[],
	) {}

	/** Rows that were ever indexed, and their terms. */
	totals(): { readonly rows: number; readonly terms: number } {
		const block = this.#block(AVERAGES_ROW);
		if (block.length === 0) return { rows: 0, terms: 0 };
		const at = new Cursor(block, 0, block.length);
		const rows = at.varint();
		let terms = 0;
		while (at.left > 0) terms += at.varint();
		return { rows, terms };
	}

	segments(): Segment[] {
		const block = this.#block(STRUCTURE_ROW);
		const at = new Cursor(block, 4, block.length);
		const knowsDeletions =
			block.length >= 8 && new DataView(block.buffer, block.byteOffset).getUint32(4) === KNOWS_DELETIONS;
		if (knowsDeletions) at.skip(4);
		const levels = at.varint();
		at.varint();
		at.varint();
		const segments: Segment[] = [];
		for (let level = 0; level < levels; level += 1) {
			at.varint();
			for (let left = at.varint(); left > 0; left -= 1) {
				segments.push({ id: at.varint(), first: at.varint(), last: at.varint() });
				// Origins, pages and entries of deletions, entries: what was deleted is not in the table.
				if (knowsDeletions) for (let part = 0; part < 5; part += 1) at.varint();
			}
		}
		return segments;
	}

	/** @throws RangeError */
	read(segments: readonly Segment[], term: string, found: OnPosting): void {
		const key = Buffer.from(`0${term}`);
		for (const segment of segments) this.#readSegment(segment, key, found);
	}

	#readSegment(segment: Segment, key: Buffer, found: OnPosting): void {
		const entry = this.database
			.prepare(`SELECT pgno FROM ${this.name}_idx WHERE segid = ? AND term <= ? ORDER BY term DESC LIMIT 1`)
			.get<{ pgno: number }>([segment.id, key]);
		if (entry === undefined || segment.first === 0) return;
		const page = Math.max(Math.floor(entry.pgno / 2), segment.first);
		const base = segment.id * SEGMENT_STEP;
		const pages = this.database
			.prepare(`SELECT id, block FROM ${this.name}_data WHERE id >= ? AND id <= ? ORDER BY id`)
			.iterate<{ id: number; block: Uint8Array }>([base + page, base + segment.last]);
		let list: PostingReader | undefined;
		let expected = base + page;
		for (const { id, block } of pages) {
			if (id !== expected++) throw new RangeError("a page is missing");
			const leaf = new Leaf(block);
			if (list === undefined) {
				const start = leaf.find(key);
				if (start === undefined) return;
				list = new PostingReader(this.weights, found);
				list.begin(block, start.from, start.to);
				if (!start.isOpen) break;
			} else {
				const next = leaf.terms.next().value;
				list.resume(block, leaf.firstRow, next ?? leaf.end);
				if (next !== undefined) break;
			}
		}
		list?.end();
	}

	#block(id: number): Uint8Array {
		const found = this.database
			.prepare(`SELECT block FROM ${this.name}_data WHERE id = ?`)
			.get<{ block: Uint8Array }>([id]);
		if (found === undefined) throw new RangeError("a page is missing");
		return found.block;
	}
}

/** A page of terms and their rows. */
class Leaf {
	/** Where the first row stands that begins on this page before any term; 0 where none does. */
	readonly firstRow: number;
	/** Where what follows is about the page itself. */
	readonly end: number;
	/** Where its terms begin. */
	readonly terms: Generator<number, undefined>;

	constructor(readonly block: Uint8Array) {
		if (block.length < 4) throw new RangeError("a short page");
		this.firstRow = ((block[0] as number) << 8) | (block[1] as number);
		this.end = ((block[2] as number) << 8) | (block[3] as number);
		if (this.end > block.length || this.firstRow > this.end) throw new RangeError("a page ends beyond its end");
		this.terms = this.#terms();
	}

	/** Where a term's rows are; `isOpen` where they may go on on the next page. */
	find(key: Buffer): { from: number; to: number; isOpen: boolean } | undefined {
		let term = Buffer.alloc(0);
		const starts = [...this.terms];
		for (const [number, start] of starts.entries()) {
			const at = new Cursor(this.block, start, this.end);
			const kept = number === 0 ? 0 : at.varint();
			if (kept > term.length) throw new RangeError("a term of no beginning");
			term = Buffer.concat([term.subarray(0, kept), at.bytes(at.varint())]);
			const order = Buffer.compare(term, key);
			if (order > 0) return undefined;
			if (order === 0) return { from: at.at, to: starts[number + 1] ?? this.end, isOpen: number === starts.length - 1 };
		}
		return undefined;
	}

	*#terms(): Generator<number, undefined> {
		const at = new Cursor(this.block, this.end, this.block.length);
		for (let start = 0; at.left > 0; ) {
			start += at.varint();
			if (start < 4 || start >= this.end) throw new RangeError("a term beyond its page");
			yield start;
		}
		return undefined;
	}
}

/** Goes through a list of rows and positions, page by page. */
class PostingReader {
	readonly #weights: readonly number[];
	readonly #found: OnPosting;
	#rowid = 0;
	/** Of the positions that are being read: bytes left, the weight of their column, the sum. */
	#left = 0;
	#weight = 0;
	#sum = 0;
	/** Whether the next byte begins a position, is the number of a column, or goes on with a position. */
	#expects: "position" | "column" | "rest" = "position";
	#isFirst = true;

	constructor(weights: readonly number[], found: OnPosting) {
		this.#weights = weights;
		this.#found = found;
	}

	/** The list's first bytes. */
	begin(block: Uint8Array, from: number, to: number): void {
		this.#rows(block, from, to);
	}

	/** What of the list stands on a following page. */
	resume(block: Uint8Array, firstRow: number, to: number): void {
		const at = this.#positions(block, 4, firstRow === 0 ? to : firstRow);
		if (this.#left > 0) {
			if (firstRow !== 0) throw new RangeError("a list of positions is cut");
			return;
		}
		if (firstRow === 0) {
			if (at !== to) throw new RangeError("rows without a beginning");
			return;
		}
		if (at !== firstRow) throw new RangeError("a row is not where it should be");
		// The first row of a page is written as a whole.
		this.#isFirst = true;
		this.#rowid = 0;
		this.#rows(block, firstRow, to);
	}

	end(): void {
		if (this.#left > 0) throw new RangeError("a list ends early");
	}

	#rows(block: Uint8Array, from: number, to: number): void {
		let at = from;
		while (at < to) {
			// Row, or how far it is from the one before.
			let value = 0;
			for (;;) {
				if (at >= to) throw new RangeError("a row is cut");
				const byte = block[at++] as number;
				value = value * 128 + (byte & 0x7f);
				if (byte < 0x80) break;
			}
			if (!this.#isFirst && value === 0) throw new RangeError("a row twice");
			this.#isFirst = false;
			this.#rowid += value;
			let size = 0;
			for (;;) {
				if (at >= to) throw new RangeError("a size is cut");
				const byte = block[at++] as number;
				size = size * 128 + (byte & 0x7f);
				if (byte < 0x80) break;
			}
			// The lowest bit says "deleted": not in contentless tables.
			if ((size & 1) === 1) throw new RangeError("a deleted row");
			this.#left = size >>> 1;
			this.#weight = this.#weights[0] as number;
			this.#sum = 0;
			at = this.#positions(block, at, to);
		}
	}

	/** Positions up to the row's end or the page's. Each is a varint of more than 1; a 1 is followed by the number of a column. */
	#positions(block: Uint8Array, from: number, to: number): number {
		if (this.#left === 0) return from;
		const end = Math.min(to, from + this.#left);
		let [sum, weight, expects] = [this.#sum, this.#weight, this.#expects];
		for (let at = from; at < end; at += 1) {
			const byte = block[at] as number;
			if (expects === "column") {
				weight = this.#weights[byte] ?? 0;
				expects = "position";
			} else if (byte >= 0x80) expects = "rest";
			else if (byte === 1 && expects === "position") expects = "column";
			else {
				sum += weight;
				expects = "position";
			}
		}
		this.#left -= end - from;
		[this.#sum, this.#weight, this.#expects] = [sum, weight, expects];
		if (this.#left === 0) {
			if (expects !== "position") throw new RangeError("positions are cut");
			this.#found(this.#rowid, sum);
		}
		return end;
	}
}

/** Reads varints: seven bits a byte, the highest first. */
class Cursor {
	constructor(
		private readonly block: Uint8Array,
		public at: number,
		private readonly end: number,
	) {}

	get left(): number {
		return this.end - this.at;
	}

	varint(): number {
		let value = 0;
		for (let size = 0; size < 8; size += 1) {
			if (this.at >= this.end) throw new RangeError("a number is cut");
			const byte = this.block[this.at++] as number;
			value = value * 128 + (byte & 0x7f);
			if (byte < 0x80) return value;
		}
		throw new RangeError("a number is too long");
	}

	skip(bytes: number): void {
		this.at += bytes;
	}

	bytes(size: number): Uint8Array {
		if (size > this.left) throw new RangeError("a text is cut");
		this.at += size;
		return this.block.subarray(this.at - size, this.at);
	}
}
