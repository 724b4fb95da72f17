import { textTerms } from "../../../domain/text/terms.js";
import { searchedTexts } from "../text/searched-texts.js";
import type { ChunkHit } from "../vectors.port.js";

/** Of text, path and symbol: as in the other engine (chosen on commit histories, test/bench/retrieval.bench.ts). */
const WEIGHTS = [1, 4, 2] as const;

/** What BM25 has to know of a chunk. */
export interface TermCounts {
	/** Terms of all columns, each as often as it stands there. */
	readonly length: number;
	/** How often a term stands there, weighted by column. */
	readonly weights: ReadonlyMap<string, number>;
}

export const countTerms = (hit: ChunkHit): TermCounts => weightedTerms(searchedTexts(hit).map(textTerms));

/** Of the terms of each column. */
export function weightedTerms(columns: readonly (readonly string[])[]): TermCounts {
	const weights = new Map<string, number>();
	let length = 0;
	for (const [column, terms] of columns.entries()) {
		length += terms.length;
		for (const term of terms) weights.set(term, (weights.get(term) ?? 0) + (WEIGHTS[column] as number));
	}
	return { length, weights };
}
