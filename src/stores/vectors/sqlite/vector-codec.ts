/** Float32, little-endian: the byte order of every platform Node runs on. */
export function floatBytes(vector: Float32Array): Uint8Array {
	return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** The same memory, or a copy where the blob is not aligned. Undefined where the length is no multiple of four. */
export function floatsFrom(bytes: Uint8Array): Float32Array | undefined {
	if (bytes.byteLength % 4 !== 0) return undefined;
	const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
	return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** One bit a dimension, set where it is positive; padded with zeros to whole bytes. */
export function signBits(vector: Float32Array): Uint8Array {
	const bits = new Uint8Array(Math.ceil(vector.length / 8));
	for (let at = 0; at < vector.length; at += 1) {
		if ((vector[at] as number) > 0) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
	}
	return bits;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return Buffer.compare(a, b) === 0;
}
