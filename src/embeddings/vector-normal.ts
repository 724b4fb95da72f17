/** Scaled to unit length, or undefined where that cannot be done (no direction, or numbers that are not finite). */
export function normalised(vector: Float32Array): Float32Array | undefined {
	const { length } = vector;
	let squares = 0;
	// Counted loops: some ten times as fast as iterators and callbacks, and every embedding comes through here.
	for (let at = 0; at < length; at += 1) squares += (vector[at] as number) * (vector[at] as number);
	if (!Number.isFinite(squares) || squares === 0) return undefined;
	const norm = Math.sqrt(squares);
	const result = new Float32Array(length);
	for (let at = 0; at < length; at += 1) result[at] = (vector[at] as number) / norm;
	return result;
}

/** A model's name as it stands in ids: [a-z0-9/._-]. */
export function modelSlug(name: string): string {
	return (
		name
			.toLowerCase()
			.replace(/[^a-z0-9/._-]+/g, "-")
			.replace(/^[-/.]+|[-/.]+$/g, "")
			.slice(0, 100) || "model"
	);
}
