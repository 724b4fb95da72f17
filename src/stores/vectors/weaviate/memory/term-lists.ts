import type { Postings } from "../../sqlite/memory/row-scores.js";

const MAX_WEIGHT = 0xffff;
/** A term in one row is one number: the row times this, and what it counts there. */
const ROW = 0x1_0000;
const FIRST_SIZE = 4;
const GROWTH = 1.5;
const POSTING_BYTES = 6;
/** Of a term: its text and its place in the map; and of one in several rows, its two columns. */
const [TERM_BYTES, COLUMNS_BYTES] = [100, 300];

interface Columns {
	count: number;
	rows: Int32Array;
	weighted: Uint16Array;
}

/** Which rows hold each term, and how often, weighted. Half of all terms stand in one row. */
export class TermLists {
	readonly #lists = new Map<string, number | Columns>();
	#bytes = 0;

	get bytes(): number {
		return this.#bytes;
	}

	/** Each row once. */
	add(row: number, weights: ReadonlyMap<string, number>): void {
		for (const [term, weight] of weights) {
			const weighted = Math.min(MAX_WEIGHT, weight);
			const list = this.#lists.get(term);
			if (list === undefined) {
				this.#lists.set(term, row * ROW + weighted);
				this.#bytes += TERM_BYTES;
			} else if (typeof list === "number") {
				const columns = emptyColumns();
				push(columns, Math.floor(list / ROW), list % ROW);
				push(columns, row, weighted);
				this.#lists.set(term, columns);
				this.#bytes += COLUMNS_BYTES + FIRST_SIZE * POSTING_BYTES;
			} else {
				const size = list.rows.length;
				push(list, row, weighted);
				this.#bytes += (list.rows.length - size) * POSTING_BYTES;
			}
		}
	}

	of(term: string): Postings {
		const list = this.#lists.get(term);
		if (list === undefined) return { rows: new Int32Array(0), weighted: new Uint16Array(0) };
		if (typeof list === "number")
			return { rows: Int32Array.of(Math.floor(list / ROW)), weighted: Uint16Array.of(list % ROW) };
		return { rows: list.rows.subarray(0, list.count), weighted: list.weighted.subarray(0, list.count) };
	}
}

const emptyColumns = (): Columns => ({
	count: 0,
	rows: new Int32Array(FIRST_SIZE),
	weighted: new Uint16Array(FIRST_SIZE),
});

function push(columns: Columns, row: number, weighted: number): void {
	if (columns.count === columns.rows.length) {
		const size = Math.ceil(columns.count * GROWTH);
		const [rows, weights] = [new Int32Array(size), new Uint16Array(size)];
		rows.set(columns.rows);
		weights.set(columns.weighted);
		columns.rows = rows;
		columns.weighted = weights;
	}
	columns.rows[columns.count] = row;
	columns.weighted[columns.count] = weighted;
	columns.count += 1;
}
