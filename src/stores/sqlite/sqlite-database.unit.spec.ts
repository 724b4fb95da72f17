import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isVisible } from "../../domain/snapshot.js";
import { assertOpen, CLOSED_SEQS_SQL, closeSeq, closeUpTo } from "./closed-seqs.js";
import { type Migration, openDatabase, type SqliteDatabase } from "./sqlite-database.js";
import { snapshotParameters, visible } from "./visibility.js";

const FIRST: Migration = { version: 1, name: "first", sql: "CREATE TABLE t (x INTEGER PRIMARY KEY) STRICT;" };
let folder: string;
const opened: SqliteDatabase[] = [];

function open(migrations: readonly Migration[] = [FIRST], file = "a.db"): SqliteDatabase {
	const database = openDatabase({ path: join(folder, file), role: "test", synchronous: "NORMAL", migrations });
	opened.push(database);
	return database;
}
const values = (database: SqliteDatabase) =>
	database
		.prepare("SELECT x FROM t ORDER BY x")
		.all<{ x: number }>()
		.map((row) => row.x);

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "lode-sqlite-"));
});
afterEach(() => {
	for (const database of opened.splice(0)) database.close();
	rmSync(folder, { recursive: true, force: true });
});

describe("transactions", () => {
	it("keeps all or nothing, and an inner one joins the outer one", () => {
		const database = open();
		const insert = database.prepare("INSERT INTO t VALUES (?)");
		expect(() =>
			database.transaction(() => {
				insert.run([1]);
				database.transaction(() => insert.run([2]));
				throw new Error("stop");
			}),
		).toThrow("stop");
		expect(values(database)).toEqual([]);
		database.transaction(() => {
			insert.run([1]);
			database.transaction(() => insert.run([2]));
		});
		expect(values(database)).toEqual([1, 2]);
	});

	it("refuses an asynchronous body and rolls it back", () => {
		const database = open();
		expect(() =>
			database.transaction(async () => {
				database.prepare("INSERT INTO t VALUES (1)").run();
			}),
		).toThrow(expect.objectContaining({ code: "INTERNAL" }));
		expect(values(database)).toEqual([]);
	});

	it("shows one state to all selects of a read while another connection writes", () => {
		const [reader, writer] = [open(), open()];
		reader.read(() => {
			expect(values(reader)).toEqual([]);
			writer.transaction(() => writer.prepare("INSERT INTO t VALUES (1)").run());
			expect(values(reader)).toEqual([]);
			expect(() => reader.transaction(() => undefined)).toThrow(expect.objectContaining({ code: "INTERNAL" }));
		});
		expect(values(reader)).toEqual([1]);
	});
});

describe("opening", () => {
	it("runs each migration once", () => {
		open().close();
		const second: Migration = { version: 2, name: "second", sql: "ALTER TABLE t ADD COLUMN y TEXT;" };
		open([FIRST, second]).close();
		const database = open([FIRST, second]);
		database.prepare("INSERT INTO t (x, y) VALUES (1, 'a')").run();
		expect(values(database)).toEqual([1]);
	});

	it("leaves nothing of a migration that fails", () => {
		const broken: Migration = { version: 1, name: "broken", sql: "CREATE TABLE half (x); CREATE TABLE half (x);" };
		expect(() => open([broken])).toThrow(expect.objectContaining({ code: "INTERNAL" }));
		expect(values(open())).toEqual([]);
	});

	it("refuses the file of a newer version", () => {
		open([FIRST, { version: 2, name: "second", sql: "SELECT 1;" }]).close();
		expect(() => open()).toThrow(
			expect.objectContaining({ code: "STORE_UNAVAILABLE", message: expect.stringContaining("newer Lode") }),
		);
	});

	it("names a file that is no database", () => {
		writeFileSync(join(folder, "a.db"), "this is not a database, but it is long enough to look at".repeat(100));
		expect(() => open()).toThrow(
			expect.objectContaining({ code: "STORE_CORRUPT", message: expect.stringContaining("test database") }),
		);
	});

	it("names a folder that may not be written", {
		skip: process.platform === "win32" || process.getuid?.() === 0,
	}, () => {
		chmodSync(folder, 0o500);
		expect(() => open()).toThrow(expect.objectContaining({ code: "PERMISSION_DENIED" }));
	});

	it("calls a disk without space full", () => {
		const database = open();
		database.exec("PRAGMA max_page_count = 3");
		expect(() =>
			database.transaction(() => {
				for (let x = 0; x < 100_000; x++) database.prepare("INSERT INTO t VALUES (?)").run([x]);
			}),
		).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
		database.exec("PRAGMA max_page_count = 100000");
		expect(values(database)).toEqual([]);
		database.transaction(() => database.prepare("INSERT INTO t VALUES (1)").run());
		expect(values(database)).toEqual([1]);
	});
});

it("expresses the visibility rule exactly", () => {
	const database = open([
		{ version: 1, name: "v", sql: "CREATE TABLE r (added_at INTEGER NOT NULL, removed_at INTEGER) STRICT;" },
	]);
	const rows: { added_at: number; removed_at: number | null }[] = [];
	for (let added = 1; added <= 5; added++) {
		rows.push({ added_at: added, removed_at: null });
		for (let removed = added + 1; removed <= 6; removed++) rows.push({ added_at: added, removed_at: removed });
	}
	for (const row of rows) database.prepare("INSERT INTO r VALUES (:added_at, :removed_at)").run(row);
	for (const excluding of [[], [1], [2, 3], [4]]) {
		for (let seq = 0; seq <= 6; seq++) {
			const snapshot = { number: 1, seq, excluding: excluding.filter((s) => s < seq), publishedAt: "" };
			const seen = database
				.prepare(`SELECT added_at, removed_at FROM r WHERE ${visible("r", snapshot)} ORDER BY rowid`)
				.all<{ added_at: number; removed_at: number | null }>(snapshotParameters(snapshot));
			const expected = rows.filter((row) => isVisible(snapshot, { addedAt: row.added_at, removedAt: row.removed_at }));
			expect(seen.map((row) => [row.added_at, row.removed_at])).toEqual(
				expected.map((row) => [row.added_at, row.removed_at]),
			);
		}
	}
});

it("refuses closed seqs: one by one, and all below a mark but those still open", () => {
	const database = open([{ version: 1, name: "c", sql: CLOSED_SEQS_SQL }]);
	const closed = () =>
		[1, 2, 3, 4, 5, 6, 7, 8].filter((seq) => {
			try {
				assertOpen(database, seq);
				return false;
			} catch (error) {
				expect(error).toMatchObject({ code: "SEQ_CLOSED" });
				return true;
			}
		});
	closeSeq(database, 3);
	closeSeq(database, 3);
	expect(closed()).toEqual([3]);
	closeUpTo(database, 5, [2, 3, 4, 7]);
	expect(closed()).toEqual([1, 3, 5]);
	closeSeq(database, 4);
	expect(closed()).toEqual([1, 3, 4, 5]);
	closeUpTo(database, 6, [1, 2, 4]);
	expect(closed()).toEqual([1, 3, 4, 5, 6]);
	closeUpTo(database, 3, [1]);
	expect(closed()).toEqual([1, 2, 3, 4, 5, 6]);
});
