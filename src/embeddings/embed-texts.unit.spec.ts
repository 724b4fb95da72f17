import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LodeError } from "../domain/errors.js";
import { createSqliteEmbeddingCache } from "./cache/sqlite-embedding-cache.js";
import { embedTexts } from "./embed-texts.js";
import type { EmbeddingCache, EmbeddingProvider } from "./embedding.port.js";

const model = { id: "test/m-2", dimensions: 2 };

/** The provider is scripted, the cache is real. */
class ScriptedProvider implements EmbeddingProvider {
	readonly name = "lexical";
	readonly maxBatch = 2;
	readonly maxConcurrency: number = 2;
	readonly calls: string[][] = [];
	running = 0;
	most = 0;
	constructor(readonly before: (call: number, texts: readonly string[]) => void | Promise<void> = () => {}) {}
	async model() {
		return model;
	}
	async embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
		const call = this.calls.push([...texts]);
		this.running += 1;
		this.most = Math.max(this.most, this.running);
		try {
			await new Promise((resolve) => setImmediate(resolve));
			await this.before(call, texts);
			signal?.throwIfAborted();
			return texts.map((text) => Float32Array.of(text.length, 1));
		} finally {
			this.running -= 1;
		}
	}
	async close() {}
}

const texts = (...values: string[]) => values.map((text) => ({ hash: `h-${text}`, text }));

describe("embedTexts", () => {
	let cache: EmbeddingCache;
	beforeEach(() => {
		cache = createSqliteEmbeddingCache({ path: ":memory:" });
	});
	afterEach(() => cache.close());

	it("embeds each distinct text once, in batches, at most so many at once, and nothing the next time", async () => {
		const provider = new ScriptedProvider();
		const many = texts("a", "bb", "a", "ccc", "dddd", "eeeee", "ffffff", "g");
		const progress: number[] = [];
		const first = await embedTexts(provider, cache, many, { onProgress: ({ done }) => progress.push(done) });
		expect({ embedded: first.embedded, reused: first.reused }).toEqual({ embedded: 7, reused: 1 });
		expect(first.vectors.get("h-ccc")).toEqual(Float32Array.of(3, 1));
		expect(first.vectors.size).toBe(7);
		expect(provider.calls.map((call) => call.length)).toEqual([2, 2, 2, 1]);
		expect(provider.most).toBe(2);
		expect(progress.at(-1)).toBe(7);
		const second = await embedTexts(provider, cache, many);
		expect({ embedded: second.embedded, reused: second.reused }).toEqual({ embedded: 0, reused: 8 });
		expect(second.vectors).toEqual(first.vectors);
		expect(provider.calls).toHaveLength(4);
		expect(await embedTexts(provider, cache, [])).toMatchObject({ embedded: 0, reused: 0 });
	});

	it("repeats what may pass, waits as long as it is asked to, and gives up at last", async () => {
		const waits: number[] = [];
		let refusedAt = 0;
		const limited = new ScriptedProvider((call) => {
			if (call === 1) {
				refusedAt = performance.now();
				throw new LodeError("EMBEDDING_RATE_LIMITED", "slow down", { retryAfterMs: 80 });
			}
			if (call === 2) {
				waits.push(performance.now() - refusedAt);
				throw new LodeError("EMBEDDING_UNAVAILABLE", "down");
			}
		});
		expect((await embedTexts(limited, cache, texts("a"), { minDelayMs: 1 })).embedded).toBe(1);
		expect(limited.calls).toHaveLength(3);
		expect(waits[0]).toBeGreaterThanOrEqual(79);

		const down = new ScriptedProvider(() => {
			throw new LodeError("EMBEDDING_UNAVAILABLE", "down");
		});
		await expect(embedTexts(down, cache, texts("b"), { minDelayMs: 1, retries: 2 })).rejects.toMatchObject({
			code: "EMBEDDING_UNAVAILABLE",
		});
		expect(down.calls).toHaveLength(3);

		const slow = new ScriptedProvider(() => {
			throw new LodeError("EMBEDDING_RATE_LIMITED", "tomorrow", { retryAfterMs: 86_400_000 });
		});
		await expect(embedTexts(slow, cache, texts("c"))).rejects.toMatchObject({ code: "EMBEDDING_RATE_LIMITED" });
		expect(slow.calls).toHaveLength(1);
	});

	it("does not repeat what cannot pass, tells the first failure and keeps what was embedded before it", async () => {
		const provider = new ScriptedProvider((_, batch) => {
			if (batch.includes("ccc")) throw new LodeError("EMBEDDING_FAILED", "refused");
		});
		const all = texts("a", "bb", "ccc", "dddd", "eeeee", "ffffff");
		await expect(embedTexts(provider, cache, all)).rejects.toMatchObject({ code: "EMBEDDING_FAILED" });
		const kept = await cache.get(model.id, ["h-a", "h-bb", "h-ccc"]);
		expect(kept.map((vector) => vector?.[0])).toEqual([1, 2, undefined]);
		expect(provider.calls.filter((call) => call.includes("ccc"))).toHaveLength(1);
	});

	it("refuses vectors of other dimensions and does not trust such ones in the cache", async () => {
		const odd = new ScriptedProvider();
		odd.embed = async (batch) => batch.map(() => Float32Array.of(1, 0, 0));
		await expect(embedTexts(odd, cache, texts("a"))).rejects.toMatchObject({ code: "EMBEDDING_FAILED" });
		await cache.put(model.id, [{ hash: "h-a", vector: Float32Array.of(1, 0, 0) }]);
		expect(await embedTexts(new ScriptedProvider(), cache, texts("a"))).toMatchObject({ embedded: 1 });
	});

	it("ends with the signal's reason: before, while it runs, and while it waits", async () => {
		const reason = new Error("stopped");
		await expect(
			embedTexts(new ScriptedProvider(), cache, texts("a"), { signal: AbortSignal.abort(reason) }),
		).rejects.toBe(reason);
		const running = new AbortController();
		const provider = new ScriptedProvider(() => running.abort(reason));
		await expect(embedTexts(provider, cache, texts("a"), { signal: running.signal })).rejects.toBe(reason);
		const waiting = new AbortController();
		const limited = new ScriptedProvider(() => {
			setImmediate(() => waiting.abort(reason));
			throw new LodeError("EMBEDDING_RATE_LIMITED", "slow down", { retryAfterMs: 60_000 });
		});
		await expect(embedTexts(limited, cache, texts("a"), { signal: waiting.signal })).rejects.toBe(reason);
	});
});
