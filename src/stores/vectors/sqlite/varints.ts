/** SQLite's numbers of one to nine bytes, one after the other. */
export function readVarints(bytes: Uint8Array): number[] {
	const values: number[] = [];
	let value = 0;
	for (const byte of bytes) {
		value = value * 128 + (byte & 0x7f);
		if (byte < 0x80) {
			values.push(value);
			value = 0;
		}
	}
	return values;
}
