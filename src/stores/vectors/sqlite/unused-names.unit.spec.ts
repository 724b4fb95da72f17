import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fileOrigin } from "../../../domain/keys.js";
import type { ChunkRecord } from "../../../domain/mined-file.js";
import { openDatabase, type SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { MIGRATIONS } from "./schema.js";
import { createSqliteVectorStore } from "./sqlite-vectors.adapter.js";
import { removeUnusedNames } from "./unused-names.js";

let folder: string;
let store: ReturnType<typeof createSqliteVectorStore>;
/** A connection of its own, as another process has it. */
let database: SqliteDatabase;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "lode-unused-names-"));
	const path = join(folder, "vectors.db");
	store = createSqliteVectorStore({ path });
	database = openDatabase({ path, role: "vector", synchronous: "NORMAL", migrations: MIGRATIONS });
});

afterEach(async () => {
	vi.restoreAllMocks();
	database.close();
	await store.close();
	rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

const chunk = (path: string, given: Partial<ChunkRecord> = {}): ChunkRecord => ({
	...{ source: "s", group: "default", origin: fileOrigin(path), path, ordinal: 0, startLine: 1, endLine: 2 },
	...{ kind: "function", model: "test/a", text: "add", vector: new Float32Array(8).fill(0.5) },
	...given,
});
const at = (seq: number) => ({ number: seq, seq, excluding: [], publishedAt: "" });
const texts = (table: "name" | "path" | "model") =>
	database
		.prepare(`SELECT text FROM ${table} ORDER BY text`)
		.all<{ text: string }>()
		.map(({ text }) => text);

test("a collection leaves no name of a file that is gone, and every name that something else uses, in whatever role", async () => {
	// The origin of the file that goes is the group of another, and its path that of another source.
	await store.stage(1, [
		chunk("gone.ts", { language: "typescript", kind: "class" }),
		chunk("shared.ts"),
		chunk("stays.ts", { group: fileOrigin("shared.ts"), source: "other" }),
		chunk("shared.ts", { origin: fileOrigin("else"), source: "other" }),
	]);
	await store.retire(2, "s", [fileOrigin("gone.ts"), fileOrigin("shared.ts")]);
	expect(await store.collect("s", at(2), [])).toBe(2);
	expect(texts("path")).toEqual(["shared.ts", "stays.ts"]);
	expect(texts("name")).toEqual(["default", "file:else", "file:shared.ts", "file:stays.ts", "function", "other"]);
	expect(await store.check()).toEqual([]);
});

test("a model that nothing has any more goes with the collection of its last chunks, but never the newest: its number would be given again", async () => {
	await store.stage(1, [chunk("a.ts")]);
	await store.retire(2, "s", [fileOrigin("a.ts")]);
	await store.stage(2, [chunk("a.ts", { model: "test/b" })]);
	expect(texts("model")).toEqual(["test/a", "test/b"]);
	await store.collect("s", at(2), []);
	expect(texts("model")).toEqual(["test/b"]);
	await store.dropSource("s");
	expect(texts("model")).toEqual(["test/b"]);
});

test("names of a discarded ingestion stay for its repeat, until a collection or until the source goes", async () => {
	await store.stage(1, [chunk("a.ts")]);
	await store.discard(1);
	expect(texts("path")).toEqual(["a.ts"]);
	await store.dropSource("s");
	expect([...texts("path"), ...texts("name")]).toEqual([]);
});

test("a name that another process takes up meanwhile stays", async () => {
	await store.stage(1, [chunk("a.ts"), chunk("b.ts")]);
	await store.discard(1);
	await store.stage(2, [chunk("c.ts")]);
	// After all chunks were looked at, and before the lock is had.
	const transaction = database.transaction.bind(database);
	vi.spyOn(database, "transaction").mockImplementationOnce((work) => {
		void store.stage(3, [chunk("b.ts")]);
		return transaction(work);
	});
	await removeUnusedNames(database);
	expect(texts("path")).toEqual(["b.ts", "c.ts"]);
	expect(await store.records(at(3), "s", fileOrigin("b.ts"))).toMatchObject([{ path: "b.ts" }]);
});
