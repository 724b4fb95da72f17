import type { Packed } from "../../sqlite/store-call.js";

/** The arguments of `put`: all objects in one buffer that is moved. They often lie in one that others still read. */
export function packObjects([objects]: readonly unknown[]): Packed {
	const contents = objects as readonly Uint8Array[];
	const sizes = contents.map(({ byteLength }) => byteLength);
	const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
	let at = 0;
	for (const content of contents) {
		bytes.set(content, at);
		at += content.byteLength;
	}
	return { args: [bytes, sizes], moved: [bytes.buffer] };
}

export function unpackObjects([bytes, sizes]: readonly unknown[]): readonly unknown[] {
	let from = 0;
	return [
		(sizes as readonly number[]).map((size) => {
			const object = (bytes as Uint8Array).subarray(from, from + size);
			from += size;
			return object;
		}),
	];
}

/** The arguments of `putDerived`. A copy: to clone a part of a buffer is to clone all of it. */
export function packDerived([key, bytes]: readonly unknown[]): Packed {
	const copy = new Uint8Array(bytes as Uint8Array);
	return { args: [key, copy], moved: [copy.buffer] };
}
