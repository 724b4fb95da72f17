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

export function countTerms(hit: ChunkHit): TermCounts {
	const weights = new Map<string, number>();
	let length = 0;
	for (const [column, text] of searchedTexts(hit).entries()) {
		const terms = textTerms(text);
		length += terms.length;
		for (const term of terms) weights.set(term, (weights.get(term) ?? 0) + (WEIGHTS[column] as number));
	}
	return { length, weights };
}
