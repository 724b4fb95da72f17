export interface EmbeddingModel {
	/** Names provider, model and dimensions, e.g. `lexical-v1-384`, `openai/text-embedding-3-small-1536`: [a-z0-9/._-]. */
	readonly id: string;
	readonly dimensions: number;
}

/** Turns texts into unit vectors. One call is one request to the provider; batching and retries lie above. */
export interface EmbeddingProvider {
	readonly name: "lexical" | "openai" | "local";
	/** Finds the concrete model (may ask the endpoint for its dimensions). @throws EMBEDDING_FAILED, EMBEDDING_UNAVAILABLE */
	model(): Promise<EmbeddingModel>;
	/** How many texts a request takes at most, and how many requests at once. */
	readonly maxBatch: number;
	readonly maxConcurrency: number;
	/** @throws EMBEDDING_FAILED, EMBEDDING_UNAVAILABLE, EMBEDDING_RATE_LIMITED (with retryAfterMs) */
	embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
	close(): Promise<void>;
}

/** Embeddings by (text hash, model): shared by all sources. */
export interface EmbeddingCache {
	/** Undefined where there is none, or where the stored bytes fail their checksum. */
	get(model: string, hashes: readonly string[]): Promise<(Float32Array | undefined)[]>;
	put(model: string, entries: readonly { hash: string; vector: Float32Array }[]): Promise<void>;
	/** Deletes what was not used since `before` (ISO 8601). */
	collect(before: string): Promise<number>;
	close(): Promise<void>;
}
