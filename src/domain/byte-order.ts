/**
 * Orders texts as their UTF-8 bytes: the order of SQLite, Postgres (collation C) and other engines. `<` compares UTF-16 code units, which puts
 * characters beyond U+FFFF before U+E000..U+FFFF. Unpaired surrogates have no bytes of their own: they count as written, above all else.
 */
export function compareBytes(a: string, b: string): number {
	const length = Math.min(a.length, b.length);
	for (let index = 0; index < length; index++) {
		const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)];
		if (x !== y) return rank(x) - rank(y);
	}
	return a.length - b.length;
}

/** Surrogates after everything else of the basic plane. */
function rank(unit: number): number {
	if (unit < 0xd800) return unit;
	return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
