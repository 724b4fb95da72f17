import { setImmediate as nextTurn } from "node:timers/promises";
import type { EmbeddingProvider } from "../embedding.port.js";
import { LEXICAL_DIMENSIONS, LexicalHasher } from "./lexical-hash.js";

export const LEXICAL_MODEL = { id: `lexical-v1-${LEXICAL_DIMENSIONS}`, dimensions: LEXICAL_DIMENSIONS } as const;

/** The built-in embedding: needs nothing, knows spelling and not meaning, some 30 MB/s. */
export function createLexicalProvider(): EmbeddingProvider {
	const hasher = new LexicalHasher();
	return {
		name: "lexical",
		maxBatch: 256,
		maxConcurrency: 1,
		async model() {
			return LEXICAL_MODEL;
		},
		async embed(texts, signal) {
			// A batch takes some ten milliseconds: let others have their turn between two of them.
			await nextTurn();
			signal?.throwIfAborted();
			return texts.map((text) => hasher.embed(text));
		},
		async close() {},
	};
}
