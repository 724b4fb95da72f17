/** Slices of at most `size`, in order: for lists of values and multi-row inserts, whose length every engine bounds. */
export function chunked<T>(values: readonly T[], size: number): T[][] {
	const slices: T[][] = [];
	for (let at = 0; at < values.length; at += size) slices.push(values.slice(at, at + size));
	return slices;
}

/**
 * The same, with only powers of two for lengths: SQL with one placeholder a value then has a dozen texts in all, and statements that were
 * prepared once serve again. A statement that does not is freed when the collector comes round to it, and a large one holds half a megabyte.
 */
export function chunkedEvenly<T>(values: readonly T[], size: number): T[][] {
	const slices: T[][] = [];
	for (let at = 0; at < values.length; ) {
		const length = 2 ** Math.floor(Math.log2(Math.min(size, values.length - at)));
		slices.push(values.slice(at, at + length));
		at += length;
	}
	return slices;
}

/** A list for `IN`, for the same reason: its last value is repeated up to the next power of two. */
export function padded<T>(values: readonly T[]): T[] {
	const last = values.at(-1);
	if (last === undefined) return [];
	const length = 2 ** Math.ceil(Math.log2(values.length));
	return [...values, ...Array<T>(length - values.length).fill(last)];
}
