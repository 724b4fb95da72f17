import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EmbeddingCache } from "../../src/embeddings/embedding.port.js";

export interface CacheUnderTest {
	readonly cache: EmbeddingCache;
	/** Moves the cache's clock. */
	setTime(iso: string): void;
	/** The same data, as another process would open it. The caller closes it. */
	reopen(): Promise<EmbeddingCache>;
	destroy(): Promise<void>;
}

const vector = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

/** What every embedding cache does. */
export function embeddingCacheContract(name: string, create: () => Promise<CacheUnderTest>): void {
	describe(`${name}: embedding cache`, () => {
		let under: CacheUnderTest;
		let cache: EmbeddingCache;
		beforeEach(async () => {
			under = await create();
			cache = under.cache;
			under.setTime("2026-03-01T10:00:00Z");
		});
		afterEach(async () => {
			await under?.destroy();
		});

		it("gives back what was put, in the order asked, to the bit", async () => {
			const [a, b] = [vector(0.1, -0, 1e-40), vector(1, 2, 3)];
			await cache.put("m", [
				{ hash: "a", vector: a },
				{ hash: "b", vector: b },
			]);
			expect(await cache.get("m", ["b", "none", "a", "b"])).toEqual([b, undefined, a, b]);
			expect(await cache.get("m", [])).toEqual([]);
			await cache.put("m", []);
		});

		it("keeps models apart, and their dimensions may differ", async () => {
			await cache.put("m", [{ hash: "a", vector: vector(1, 0) }]);
			await cache.put("n", [{ hash: "a", vector: vector(1, 0, 0) }]);
			expect(await cache.get("m", ["a"])).toEqual([vector(1, 0)]);
			expect(await cache.get("n", ["a"])).toEqual([vector(1, 0, 0)]);
			expect(await cache.get("o", ["a"])).toEqual([undefined]);
		});

		it("keeps a view of a larger buffer, not the buffer", async () => {
			const view = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
			await cache.put("m", [{ hash: "a", vector: view }]);
			expect(await cache.get("m", ["a"])).toEqual([vector(1, 2)]);
		});

		it("takes a repeat, and a thousand at once", async () => {
			const entries = Array.from({ length: 1000 }, (_, n) => ({ hash: `h${n}`, vector: vector(n, 1) }));
			await cache.put("m", entries);
			await cache.put("m", entries);
			const found = await cache.get(
				"m",
				entries.map(({ hash }) => hash),
			);
			expect(found).toEqual(entries.map((entry) => entry.vector));
		});

		it("is there for the next process", async () => {
			await cache.put("m", [{ hash: "a", vector: vector(1) }]);
			const again = await under.reopen();
			try {
				expect(await again.get("m", ["a"])).toEqual([vector(1)]);
			} finally {
				await again.close();
			}
		});

		it("collects what was neither written nor read since", async () => {
			await cache.put("m", [
				{ hash: "read", vector: vector(1) },
				{ hash: "idle", vector: vector(2) },
			]);
			under.setTime("2026-03-20T00:30:00Z");
			await cache.get("m", ["read"]);
			await cache.put("m", [{ hash: "new", vector: vector(3) }]);
			expect(await cache.collect("2026-02-01T00:00:00Z")).toBe(0);
			expect(await cache.collect("2026-03-20T00:00:00Z")).toBe(1);
			expect(await cache.get("m", ["read", "idle", "new"])).toEqual([vector(1), undefined, vector(3)]);
		});
	});
}
