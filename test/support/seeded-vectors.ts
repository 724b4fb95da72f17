/** A unit vector along one axis. */
export function unit(dimensions: number, axis: number): Float32Array {
	const vector = new Float32Array(dimensions);
	vector[axis] = 1;
	return vector;
}

/** Numbers in [0, 1) from a seed: mulberry32. */
export function seededNumbers(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
}

/** Unit vectors from a seed, one a call; around `centres` random ones where asked for. */
export function seededVectors(seed: number, dimensions: number, clusters = 0, spread = 0.6): () => Float32Array {
	const next = seededNumbers(seed);
	const random = () => Float32Array.from({ length: dimensions }, () => next() - 0.5);
	const centres = Array.from({ length: clusters }, random);
	return () => {
		const centre = centres[Math.floor(next() * clusters)];
		const vector = random();
		if (centre)
			for (let at = 0; at < dimensions; at += 1) vector[at] = (centre[at] as number) + (vector[at] as number) * spread;
		const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
		return vector.map((x) => x / norm);
	};
}
