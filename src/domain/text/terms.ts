import { porterStem } from "./porter-stem.js";

/** Longer words (minified code, base64) tell nothing and would make an index of them. */
const MAX_WORD = 64;
/** Words that are remembered: some megabytes. */
const MAX_KNOWN = 50_000;
const WORD = /[\p{L}\p{N}\p{M}_$]+/gu;
/** The same where no other characters are: several times as fast. */
const ASCII_WORD = /[A-Za-z0-9_$]+/g;
const BEYOND_ASCII = /[\u0080-\uffff]/;
/** An acronym before a word, a word with its capital, a run of capitals, a run of digits, or letters without case. */
const PART = /\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|\p{Lu}+|\p{N}+|[\p{L}\p{M}]+/gu;
/** Scripts without spaces between words: taken in pairs of characters. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+$/u;

/** Stems by word: a corpus has few distinct words. Bounded, because inputs are not. */
const stems = new Map<string, string>();
function stem(word: string): string {
	const known = stems.get(word);
	if (known !== undefined) return known;
	if (stems.size >= MAX_KNOWN) stems.clear();
	const result = porterStem(word);
	stems.set(word, result);
	return result;
}

/** The parts of an identifier, lower case: `HTTPServer_v2` gives http, server, v, 2. */
export function identifierParts(word: string): string[] {
	return (word.match(PART) ?? []).map((part) => part.toLowerCase());
}

/** Where in a text a term stands: UTF-16 offsets, `end` exclusive. */
export interface TermPlace {
	readonly term: string;
	readonly start: number;
	readonly end: number;
}

/** The terms of a text as `textTerms` makes them, with their places: a part of an identifier has its own. */
export function* termPlaces(text: string): Generator<TermPlace> {
	for (const { 0: word, index } of text.matchAll(WORD)) {
		if (word.length > MAX_WORD) continue;
		if (UNSPACED.test(word)) {
			const characters = [...word];
			let at = index;
			for (const [place, character] of characters.entries()) {
				const next = characters[place + 1] ?? "";
				if (next !== "" || characters.length === 1) {
					yield { term: character + next, start: at, end: at + character.length + next.length };
				}
				at += character.length;
			}
			continue;
		}
		const parts = [...word.matchAll(PART)];
		for (const part of parts) {
			const start = index + part.index;
			yield { term: stem(part[0].toLowerCase()), start, end: start + part[0].length };
		}
		if (parts.length > 1) {
			yield { term: parts.map((part) => part[0].toLowerCase()).join(""), start: index, end: index + word.length };
		}
	}
}

function termsOf(word: string): readonly string[] {
	if (word.length > MAX_WORD) return [];
	if (UNSPACED.test(word)) {
		const characters = [...word];
		if (characters.length === 1) return [word];
		return characters.slice(1).map((character, at) => `${characters[at]}${character}`);
	}
	const parts = identifierParts(word);
	const terms = parts.map(stem);
	if (parts.length > 1) terms.push(parts.join(""));
	return terms;
}

/** The terms of words: most words of a text stood in others before. Bounded as the stems are. */
const known = new Map<string, readonly string[]>();

/**
 * The terms of a text, in order, as they stand in the full-text index: identifiers split at camelCase, snake_case and
 * digits, lower case, stemmed; and each identifier of several parts also as a whole. Terms hold no ASCII character other
 * than a-z and 0-9.
 */
export function textTerms(text: string): string[] {
	const terms: string[] = [];
	for (const word of text.match(BEYOND_ASCII.test(text) ? WORD : ASCII_WORD) ?? []) {
		let ofWord = known.get(word);
		if (ofWord === undefined) {
			ofWord = termsOf(word);
			if (known.size >= MAX_KNOWN) known.clear();
			// A copy: a part of a text would keep all of it in memory.
			known.set([...word].join(""), ofWord);
		}
		for (const term of ofWord) terms.push(term);
	}
	return terms;
}
