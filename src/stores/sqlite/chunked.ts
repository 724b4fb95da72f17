/** Slices of at most `size`, in order: for lists of values and multi-row inserts, whose length every engine bounds. */
export function chunked<T>(values: readonly T[], size: number): T[][] {
	const slices: T[][] = [];
	for (let at = 0; at < values.length; at += size) slices.push(values.slice(at, at + size));
	return slices;
}
