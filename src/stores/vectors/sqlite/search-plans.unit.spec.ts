import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { fileOrigin } from "../../../domain/keys.js";
import type { ChunkRecord } from "../../../domain/mined-file.js";
import { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { createSqliteVectorStore } from "./sqlite-vectors.adapter.js";

afterEach(() => vi.restoreAllMocks());

const record: ChunkRecord = {
	...{ source: "s", group: "default", origin: fileOrigin("a.ts"), path: "a.ts", ordinal: 0, startLine: 1, endLine: 2 },
	...{ kind: "function", symbol: "Cart.add", model: "test/a", text: "add", vector: new Float32Array(8).fill(0.5) },
};

// What begins with lifetimes goes through every chunk, because nearly all are alive. Statistics would hide it: a new home has none.
test("what is asked of a name, of files or of hits goes through no other chunks, also before anything was analysed", async () => {
	const folder = mkdtempSync(join(tmpdir(), "lode-search-plans-"));
	const store = createSqliteVectorStore({ path: join(folder, "vectors.db") });
	try {
		await store.stage(1, [record]);
		const filter = { snapshot: { number: 1, seq: 1, excluding: [], publishedAt: "" }, sources: ["s"] };
		const files = [{ source: "s", path: "a.ts" }];
		const prepare = vi.spyOn(SqliteDatabase.prototype, "prepare");
		const hits = await store.searchSymbol("Cart.add", filter, 10);
		expect(hits).toHaveLength(1);
		expect(await store.firstChunks(filter, files)).toHaveLength(1);
		expect(await store.chunksOf(filter, files, 10)).toHaveLength(1);
		expect((await store.vectorsOf(hits)).size).toBe(1);
		const asked = prepare.mock.calls.map(([sql], call) => ({
			sql,
			database: prepare.mock.contexts[call] as SqliteDatabase,
		}));
		prepare.mockRestore();
		const plans = asked
			.filter(({ sql }) => sql.includes("FROM chunk c") || sql.includes("JOIN chunk c") || sql.includes("vector"))
			.map(({ sql, database }) => ({
				sql,
				plan: database.raw
					.prepare(`EXPLAIN QUERY PLAN ${sql}`)
					.all()
					.map(({ detail }) => String(detail)),
			}));
		expect(plans.length).toBeGreaterThanOrEqual(4);
		const whole = /^SCAN (c|t|v|vector|content)\b|^SEARCH c USING .*\((added_at|removed_at|source_id=\?\))/;
		expect(plans.filter(({ plan }) => plan.some((step) => whole.test(step)))).toEqual([]);
	} finally {
		await store.close();
		rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
	}
});
