/** Deeper than hand-written or generated code goes, shallow enough for every grammar. */
export const MAX_NESTING = 1_000;

/**
 * How deep brackets nest, without regard to strings and comments: a bound before the parser sees the text. Angle brackets
 * count apart and only within a statement: unclosed ones (`a<b<c<…`) make the grammars with generics try every reading, in
 * quadratic memory.
 */
export function nestsTooDeep(text: string): boolean {
	let depth = 0;
	let angles = 0;
	for (let i = 0; i < text.length; i += 1) {
		switch (text.charCodeAt(i)) {
			case 0x28: // (
			case 0x5b: // [
				depth += 1;
				if (depth > MAX_NESTING) return true;
				break;
			case 0x7b: // {
				angles = 0;
				depth += 1;
				if (depth > MAX_NESTING) return true;
				break;
			case 0x29: // )
			case 0x5d: // ]
				if (depth > 0) depth -= 1;
				break;
			case 0x7d: // }
				angles = 0;
				if (depth > 0) depth -= 1;
				break;
			case 0x3b: // ;
				angles = 0;
				break;
			case 0x3c: {
				// Not << (shifts in a table), <= and <-.
				const next = text.charCodeAt(i + 1);
				if (next === 0x3c) i += 1;
				else if (next !== 0x3d && next !== 0x2d) angles += 1;
				if (angles > MAX_NESTING) return true;
				break;
			}
			case 0x3e: // >
				if (angles > 0) angles -= 1;
				break;
		}
	}
	return false;
}
