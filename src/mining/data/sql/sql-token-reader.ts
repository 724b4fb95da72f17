import { readName, splitAtCommas } from "./sql-grammar.js";
import type { SqlToken } from "./sql-lexer.js";

/** Brackets deeper than this are stepped over unread: the readers recurse. */
export const MAX_DEPTH = 60;

/** Looking around in tokens whose brackets pair. */
export class TokenReader {
	constructor(
		readonly tokens: readonly SqlToken[],
		/** See `matchBrackets`. */
		readonly partner: Int32Array,
		readonly fold: (word: string) => string,
	) {}

	upper(index: number): string {
		return this.tokens[index]?.upper ?? "";
	}

	startsQuery(from: number, to: number): boolean {
		let at = from;
		// Bounded: asked at every bracket of `((((...`.
		while (at < to && at - from <= MAX_DEPTH && this.upper(at) === "(") at += 1;
		return at < to && ["SELECT", "WITH", "FROM"].includes(this.upper(at));
	}

	names(from: number, to: number): string[] {
		return splitAtCommas(this.tokens, this.partner, from, to).flatMap(
			([start, end]) => readName(this.tokens, start, end, this.fold)?.parts.at(-1) ?? [],
		);
	}

	/** The index of the first token at this level for which `stop` holds. */
	find(from: number, to: number, stop: (upper: string, index: number) => boolean): number {
		for (let index = from; index < to; index += 1) {
			const match = this.partner[index] ?? -1;
			if (match > index) index = match;
			else if (this.tokens[index]?.kind === "word" && stop(this.upper(index), index)) return index;
			else if (this.upper(index) === "," && stop(",", index)) return index;
		}
		return to;
	}
}
