import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from "vitest";
import { fileOrigin } from "../../../domain/keys.js";
import { type ChunkRecord, COMMIT_KIND, NO_MODEL } from "../../../domain/mined-file.js";
import { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { createSqliteVectorStore } from "./sqlite-vectors.adapter.js";

const record: ChunkRecord = {
	...{ source: "s", group: "default", origin: fileOrigin("a.ts"), path: "a.ts", ordinal: 0, startLine: 1, endLine: 2 },
	...{ kind: "function", symbol: "Cart.add", model: "test/a", text: "add", vector: new Float32Array(8).fill(0.5) },
};
const commit: ChunkRecord = {
	...{ ...record, origin: "commit:1", path: "", kind: COMMIT_KIND, model: NO_MODEL, vector: new Float32Array([1]) },
};
const at = (seq: number, excluding: number[] = []) => ({ number: 1, seq, excluding, publishedAt: "" });
const now = { snapshot: at(3), sources: ["s"] };

/** What `PRAGMA optimize` writes in a home of 110,000 chunks, in 1,000 ingestions and in the first one. */
const STATISTICS = {
	"of many ingestions": ["110000 55000 10 10 1 1", "110000 110 109", "10000 10 10"],
	"of one ingestion": ["110000 110000 10 10 1 1", "110000 110000 110000", "0 0 0"],
};

let folder: string;
let store: ReturnType<typeof createSqliteVectorStore>;
let database: SqliteDatabase;
let asked: MockInstance<SqliteDatabase["prepare"]>;

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "lode-search-plans-"));
	store = createSqliteVectorStore({ path: join(folder, "vectors.db") });
	const prepare = vi.spyOn(SqliteDatabase.prototype, "prepare");
	await store.stage(1, [record, commit]);
	database = prepare.mock.contexts[0] as SqliteDatabase;
	prepare.mockClear();
	asked = prepare;
});

afterEach(async () => {
	vi.restoreAllMocks();
	await store.close();
	rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

const statements = (within: RegExp): string[] =>
	[...new Set(asked.mock.calls.map(([sql]) => sql))].filter((sql) => within.test(sql));

const planned = (sql: string): string[] =>
	database.raw
		.prepare(`EXPLAIN QUERY PLAN ${sql}`)
		.all()
		.map(({ detail }) => String(detail));

/** The steps over chunks, without statistics, then with each. */
function* stepsOf(
	sql: string,
): Generator<{ readonly statistics: string; readonly sql: string; readonly steps: string[] }> {
	const steps = () => planned(sql).filter((step) => /^(SCAN|SEARCH) (c|chunk)\b/.test(step));
	yield { statistics: "none", sql, steps: steps() };
	database.raw.exec("ANALYZE");
	for (const [statistics, [identity, added, removed]] of Object.entries(STATISTICS)) {
		database.raw.exec(`
			DELETE FROM sqlite_stat1 WHERE tbl = 'chunk';
			INSERT INTO sqlite_stat1 VALUES ('chunk', 'chunk_identity', '${identity}'), ('chunk', 'chunk_added', '${added}'), ('chunk', 'chunk_removed', '${removed}');
			ANALYZE sqlite_schema`);
		yield { statistics, sql, steps: steps() };
	}
	database.raw.exec("DROP TABLE sqlite_stat1; ANALYZE sqlite_schema");
}

// What begins with lifetimes goes through every chunk, because nearly all are alive. Statistics would hide it: a new home has none.
test("what is asked of a name, of files or of hits goes through no other chunks, also before anything was analysed", async () => {
	const files = [{ source: "s", path: "a.ts" }];
	const hits = await store.searchSymbol("Cart.add", now, 10);
	expect(hits).toHaveLength(1);
	expect(await store.firstChunks(now, files)).toHaveLength(1);
	expect(await store.chunksOf(now, files, 10)).toHaveLength(1);
	expect((await store.vectorsOf(hits)).size).toBe(1);
	const plans = statements(/FROM chunk c|JOIN chunk c|vector/).map((sql) => ({ sql, plan: planned(sql) }));
	expect(plans.length).toBeGreaterThanOrEqual(4);
	const whole = /^SCAN (c|t|v|vector|content)\b|^SEARCH c USING .*\((added_at|removed_at|source_id=\?\))/;
	expect(plans.filter(({ plan }) => plan.some((step) => whole.test(step)))).toEqual([]);
});

test("models and numbers of chunks of given sources go through these, and what no file has is looked for in none", async () => {
	await store.stage(2, [{ ...record, source: "other" }]);
	const several = { ...now, sources: ["s", "other"] };
	for (const filter of [now, several, { ...several, snapshot: at(3, [2]) }, { ...now, group: "default" }]) {
		expect(await store.models(filter)).toEqual(["test/a"]);
		expect(await store.count(filter)).toBe(filter.sources.length - filter.snapshot.excluding.length);
	}
	const plans = statements(/FROM chunk c/).flatMap((sql) => [...stepsOf(sql)]);
	expect(plans).toHaveLength(8 * 3);
	const bySource = /^SEARCH c (EXISTS )?USING INDEX chunk_identity \(source_id=\?\)$/;
	expect(plans.filter(({ steps }) => steps.length !== 1 || !bySource.test(String(steps[0])))).toEqual([]);

	expect(statements(/FROM model m/).filter((sql) => !sql.includes(`m.text <> '${NO_MODEL}'`))).toEqual([]);
	expect(await store.models({ ...now, kinds: ["function", COMMIT_KIND] })).toEqual([NO_MODEL, "test/a"]);
});

test("what goes through all chunks of all sources reads the table in its order", async () => {
	expect(await store.models({ snapshot: now.snapshot })).toEqual(["test/a"]);
	expect(await store.count({ snapshot: now.snapshot })).toBe(1);
	const plans = statements(/FROM chunk c/).flatMap((sql) => [...stepsOf(sql)]);
	expect(plans).toHaveLength(2 * 3);
	expect(plans.filter(({ steps }) => steps.length !== 1 || !/^SCAN c\b/.test(String(steps[0])))).toEqual([]);
});

test("a discard and a collection begin with what was added or removed, and names need no pass where files have chunks yet", async () => {
	await store.retire(2, "s", [record.origin]);
	await store.stage(2, [{ ...record, text: "sum" }]);
	await store.stage(3, [{ ...record, origin: fileOrigin("b.ts"), path: "b.ts" }]);
	await store.discard(3);
	expect(await store.collect("s", at(2, [3]), [])).toBe(1);
	expect(await store.collect("s", at(2), [])).toBe(0);
	const plans = statements(/\bchunk\b(?!_)/)
		.filter((sql) => !sql.includes("INSERT"))
		.flatMap((sql) => [...stepsOf(sql)]);
	expect(plans.length).toBeGreaterThanOrEqual(7 * 3);
	const narrow =
		/INTEGER PRIMARY KEY \(rowid=\?\)|chunk_added \(added_at=\?\)|chunk_removed \(removed_at(=\?|>\? AND removed_at<\?)\)|\(source_id=\? AND origin_id=\?/;
	expect(plans.filter(({ steps }) => steps.some((step) => !narrow.test(step)))).toEqual([]);
});
