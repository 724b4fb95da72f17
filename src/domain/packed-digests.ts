/** Hexadecimal digests of 32 bytes each, one after the other. */
export function packDigests(digests: readonly string[]): Uint8Array<ArrayBuffer> {
	const packed = new Uint8Array(digests.length * 32);
	for (const [at, digest] of digests.entries()) packed.set(Buffer.from(digest, "hex"), at * 32);
	return packed;
}

export function digestAt(packed: Uint8Array, index: number): string {
	return Buffer.from(packed.buffer, packed.byteOffset + index * 32, 32).toString("hex");
}
