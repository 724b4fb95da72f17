import pLimit from "p-limit";
import pRetry from "p-retry";
import { errorCode, LodeError } from "../domain/errors.js";
import type { EmbeddingCache, EmbeddingProvider } from "./embedding.port.js";

export interface EmbedOptions {
	readonly signal?: AbortSignal;
	/** Called after every batch. */
	readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
	/** After the first attempt. Default 5. */
	readonly retries?: number;
	/** The first pause where the provider names none; it doubles. Default 500. */
	readonly minDelayMs?: number;
}

export interface EmbedResult {
	/** By text hash. */
	readonly vectors: Map<string, Float32Array>;
	/** Texts sent to the model: each distinct one once. */
	readonly embedded: number;
	/** The others: they were in the cache, or stood in the call before. */
	readonly reused: number;
}

const MAX_DELAY_MS = 30_000;
/** A provider that asks for more is not waited for here: the caller's own retry comes later. */
const MAX_RETRY_AFTER_MS = 120_000;
/** Embeddings that go into the cache as one: each write changes as many pages of its index as it has texts, and more small ones the same pages. */
const KEPT_TOGETHER = 512;

/**
 * Embeds what the cache does not hold, in batches. What was embedded before a failure stays in the cache, so a repeat goes on from there.
 * @throws EMBEDDING_FAILED, EMBEDDING_UNAVAILABLE, EMBEDDING_RATE_LIMITED; the signal's reason where it was aborted
 */
export async function embedTexts(
	provider: EmbeddingProvider,
	cache: EmbeddingCache,
	texts: readonly { readonly hash: string; readonly text: string }[],
	options: EmbedOptions = {},
): Promise<EmbedResult> {
	options.signal?.throwIfAborted();
	const vectors = new Map<string, Float32Array>();
	const distinct = [...new Map(texts.map((each) => [each.hash, each])).values()];
	if (distinct.length === 0) return { vectors, embedded: 0, reused: 0 };
	const model = await retrying(() => provider.model(), options);
	const cached = await cache.get(
		model.id,
		distinct.map(({ hash }) => hash),
	);
	const missing = distinct.filter(({ hash }, index) => {
		const vector = cached[index];
		if (vector?.length !== model.dimensions) return true;
		vectors.set(hash, vector);
		return false;
	});

	let done = distinct.length - missing.length;
	const report = () => options.onProgress?.({ done, total: distinct.length });
	report();
	const failed = new AbortController();
	const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
	const limit = pLimit(provider.maxConcurrency);
	const unkept: { hash: string; vector: Float32Array }[] = [];
	const keep = async (least: number) => {
		if (unkept.length >= least) await cache.put(model.id, unkept.splice(0));
	};
	const runs = batches(missing, provider.maxBatch).map((batch) =>
		limit(async () => {
			if (signal.aborted) return;
			try {
				const embedded = await retrying(
					() =>
						provider.embed(
							batch.map(({ text }) => text),
							signal,
						),
					{ ...options, signal },
				);
				const entries = batch.map(({ hash }, index) => ({ hash, vector: checked(embedded[index], model) }));
				unkept.push(...entries);
				await keep(KEPT_TOGETHER);
				for (const { hash, vector } of entries) vectors.set(hash, vector);
				done += batch.length;
				report();
			} catch (error) {
				// The first failure is the one to tell; it stops the others, whose results so far are kept.
				if (!failed.signal.aborted) failed.abort(error);
			}
		}),
	);
	await Promise.all(runs);
	// Also where it failed: a repeat goes on from there.
	await keep(1);
	options.signal?.throwIfAborted();
	if (failed.signal.aborted) throw failed.signal.reason;
	return { vectors, embedded: missing.length, reused: texts.length - missing.length };
}

function checked(vector: Float32Array | undefined, model: { id: string; dimensions: number }): Float32Array {
	if (vector?.length === model.dimensions) return vector;
	throw new LodeError(
		"EMBEDDING_FAILED",
		`Cannot use an embedding of ${model.id}: it has ${vector?.length ?? 0} dimensions instead of ${model.dimensions}`,
		{ next: "The model behind the endpoint has changed: give it another name, or re-index with it." },
	);
}

async function retrying<T>(call: () => Promise<T>, options: EmbedOptions): Promise<T> {
	return pRetry(call, {
		retries: options.retries ?? 5,
		minTimeout: options.minDelayMs ?? 500,
		maxTimeout: MAX_DELAY_MS,
		factor: 2,
		randomize: true,
		signal: options.signal,
		shouldRetry: async ({ error }) => {
			const code = errorCode(error);
			if (code === "EMBEDDING_UNAVAILABLE") return true;
			if (code !== "EMBEDDING_RATE_LIMITED") return false;
			const wait = (error as LodeError).retryAfterMs;
			if (wait === undefined) return true;
			if (wait > MAX_RETRY_AFTER_MS) return false;
			await pause(wait, options.signal);
			return true;
		},
	});
}

/** Rejects with the signal's reason. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
	return new Promise((resolve, reject) => {
		const onAbort = () => {
			clearTimeout(timer);
			reject(signal?.reason);
		};
		const timer = setTimeout(() => {
			signal?.removeEventListener("abort", onAbort);
			resolve();
		}, ms);
		signal?.addEventListener("abort", onAbort, { once: true });
	});
}

function batches<T>(values: readonly T[], size: number): T[][] {
	const result: T[][] = [];
	for (let at = 0; at < values.length; at += size) result.push(values.slice(at, at + size));
	return result;
}
