import type { RecordKind } from "../../../domain/mined-file.js";
import { textTerms } from "../../../domain/text/terms.js";
import { searchedTexts } from "../text/searched-texts.js";

/** The columns of the full-text index, in its order. */
export interface ChunkTerms {
	readonly text: readonly string[];
	readonly path: readonly string[];
	readonly symbol: readonly string[];
}

export function chunkTerms(chunk: { kind: RecordKind; text: string; path: string; symbol?: string }): ChunkTerms {
	const [text, path, symbol] = searchedTexts(chunk);
	return { text: textTerms(text), path: textTerms(path), symbol: textTerms(symbol) };
}

const COLUMNS = ["text", "path", "symbol"] as const;

/** Of one term, for `instanceHash`: 32 bits, signed. Over UTF-16 code units. */
export function termHash(term: string): number {
	let hash = 0x811c9dc5 | 0;
	for (let at = 0; at < term.length; at += 1) hash = Math.imul(hash ^ term.charCodeAt(at), 0x01000193);
	return hash;
}

/** Of one occurrence of a term: 32 bits, unsigned, so that the sum over a chunk (a million terms) stays an exact integer. */
export function instanceHash(term: number, column: number, offset: number): number {
	return signedInstanceHash(term, column, offset) >>> 0;
}

/** Signed numbers of 32 bits are no objects of the heap, as half of the unsigned ones are. */
function signedInstanceHash(term: number, column: number, offset: number): number {
	let hash = Math.imul(term ^ Math.imul(column + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(offset + 1, 0xc2b2ae35);
	hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f);
	return hash ^ (hash >>> 13);
}

/** A checksum of a chunk's entries in the full-text index, independent of order: what `check` finds there must add up to it. */
export function termsChecksum(terms: ChunkTerms): number {
	let [low, high] = [0, 0];
	for (let column = 0; column < COLUMNS.length; column += 1) {
		const inColumn = terms[COLUMNS[column] as (typeof COLUMNS)[number]];
		for (let offset = 0; offset < inColumn.length; offset += 1) {
			const hash = signedInstanceHash(termHash(inColumn[offset] as string), column, offset);
			low += hash & 0xffff;
			high += hash >>> 16;
		}
	}
	return high * 0x10000 + low;
}

export const columnNumber = (name: string): number => COLUMNS.indexOf(name as (typeof COLUMNS)[number]);

/** The last part of a dotted symbol: what it is looked up by. */
export const symbolTail = (symbol: string): string => symbol.slice(symbol.lastIndexOf(".") + 1);
