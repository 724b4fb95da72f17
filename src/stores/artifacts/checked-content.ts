import { createHash } from "node:crypto";

/**
 * The same pieces. The last one comes only once the digest of all of them is the address, so that whoever counts the bytes never takes
 * damaged content for whole. @throws what `damaged` makes
 */
export async function* checkedContent(
	address: string,
	pieces: AsyncIterable<Uint8Array>,
	damaged: () => Error,
): AsyncGenerator<Uint8Array> {
	const hash = createHash("sha256");
	let held: Uint8Array | undefined;
	for await (const piece of pieces) {
		hash.update(piece);
		if (held !== undefined) yield held;
		held = piece;
	}
	if (hash.digest("hex") !== address) throw damaged();
	if (held !== undefined) yield held;
}
