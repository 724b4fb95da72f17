/** Scaled to unit length, or undefined where that cannot be done (no direction, or numbers that are not finite). */
export function normalised(vector: Float32Array): Float32Array | undefined {
	let squares = 0;
	for (const x of vector) squares += x * x;
	if (!Number.isFinite(squares) || squares === 0) return undefined;
	const norm = Math.sqrt(squares);
	return vector.map((x) => x / norm);
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
