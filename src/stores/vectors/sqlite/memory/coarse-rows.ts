/** What of the vectors of one model is kept in memory, enough to find those that are worth comparing exactly. */
export interface CoarseRows {
	readonly bytes: number;
	/** Rows ascend. @throws RangeError where what is stored is not of such a vector */
	append(row: number, stored: { readonly bits: Uint8Array; readonly floats: Uint8Array | null }): void;
	/** The `limit` nearest of the rows that pass, in order of rows. `passing` has a byte a row, 1 or 0. */
	nearest(query: Float32Array, passing: Uint8Array, limit: number): number[];
}

/** Numbers of rows, ascending. */
export class RowNumbers {
	values = new Int32Array(1_024);
	count = 0;

	push(row: number): void {
		if (this.count === this.values.length) {
			const larger = new Int32Array(Math.ceil(this.count * 1.5));
			larger.set(this.values);
			this.values = larger;
		}
		this.values[this.count] = row;
		this.count += 1;
	}
}
