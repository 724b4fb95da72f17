/** Rows of a matrix (row after row) with the highest dot products with the query, best first: the exact answer, and the bare cost of it. */
export function exactTop(matrix: Float32Array, query: Float32Array, limit: number): number[] {
	const dimensions = query.length;
	const rows = matrix.length / dimensions;
	const best: { row: number; score: number }[] = [];
	let worst = Number.NEGATIVE_INFINITY;
	for (let row = 0, offset = 0; row < rows; row += 1, offset += dimensions) {
		// Four sums: the processor then need not wait for the addition before.
		let [a, b, c, d] = [0, 0, 0, 0];
		for (let at = 0; at < dimensions; at += 4) {
			a += (matrix[offset + at] as number) * (query[at] as number);
			b += (matrix[offset + at + 1] as number) * (query[at + 1] as number);
			c += (matrix[offset + at + 2] as number) * (query[at + 2] as number);
			d += (matrix[offset + at + 3] as number) * (query[at + 3] as number);
		}
		const score = a + b + c + d;
		if (best.length === limit && score <= worst) continue;
		const place = best.findIndex((other) => other.score < score);
		best.splice(place < 0 ? best.length : place, 0, { row, score });
		if (best.length > limit) best.pop();
		worst = best.at(-1)?.score ?? worst;
	}
	return best.map(({ row }) => row);
}
