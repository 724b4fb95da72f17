import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { createSqliteEmbeddingCache } from "../../src/embeddings/cache/sqlite-embedding-cache.js";
import { embeddingCacheContract } from "./embedding-cache.contract.js";

embeddingCacheContract("sqlite", async () => {
	const folder = await mkdtemp(join(tmpdir(), "lode-embeddings-"));
	const path = join(folder, "embeddings.db");
	let time = 0;
	const open = () => createSqliteEmbeddingCache({ path, now: () => time });
	const cache = open();
	return {
		cache,
		setTime: (iso) => {
			time = Date.parse(iso);
		},
		reopen: async () => open(),
		destroy: async () => {
			await cache.close();
			await rm(folder, { recursive: true, force: true });
		},
	};
});

it("has no embedding where a stored byte, checksum or key was changed, and takes a new one in its place", async () => {
	const folder = await mkdtemp(join(tmpdir(), "lode-embeddings-"));
	const path = join(folder, "embeddings.db");
	const cache = createSqliteEmbeddingCache({ path });
	try {
		const vector = Float32Array.from([1, 2, 3]);
		const changes = [
			"UPDATE embedding SET vector = x'000000000000000000000000'",
			"UPDATE embedding SET vector = substr(vector, 1, 8)",
			"UPDATE embedding SET checksum = checksum + 1",
			"UPDATE embedding SET hash = 'b'",
			"UPDATE model SET text = 'other'",
		];
		for (const change of changes) {
			await cache.put("m", [{ hash: "a", vector }]);
			expect(await cache.get("m", ["a"])).toEqual([vector]);
			const raw = new DatabaseSync(path);
			raw.exec(change);
			raw.close();
			expect(await cache.get("m", ["a", "b"])).toEqual([undefined, undefined]);
			expect(await cache.get("other", ["a"])).toEqual([undefined]);
		}
	} finally {
		await cache.close();
		await rm(folder, { recursive: true, force: true });
	}
});
