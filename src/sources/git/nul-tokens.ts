/**
 * Splits git's `-z` output at its NUL bytes, with memory bounded by `maxBytes` a token: a longer one comes cut to that length.
 * What follows the last NUL is a token of its own when it is not empty.
 */
export async function* nulTokens(
	chunks: AsyncIterable<Buffer>,
	maxBytes = 256 * 1024,
): AsyncGenerator<Buffer, void, undefined> {
	let parts: Buffer[] = [];
	let size = 0;
	const keep = (part: Buffer): void => {
		const room = maxBytes - size;
		if (part.length === 0 || room <= 0) return;
		const kept = part.subarray(0, room);
		parts.push(kept);
		size += kept.length;
	};
	for await (const chunk of chunks) {
		let start = 0;
		for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, start)) {
			if (parts.length === 0 && end - start <= maxBytes) yield chunk.subarray(start, end);
			else {
				keep(chunk.subarray(start, end));
				yield Buffer.concat(parts);
				parts = [];
				size = 0;
			}
			start = end + 1;
		}
		keep(chunk.subarray(start));
	}
	if (parts.length > 0) yield Buffer.concat(parts);
}
