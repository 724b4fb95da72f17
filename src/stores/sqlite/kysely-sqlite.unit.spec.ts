import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createKysely } from "./kysely-sqlite.js";
import { openDatabase, type SqliteDatabase } from "./sqlite-database.js";

interface Tables {
	t: { x: number; y: string | null };
}
let folder: string;
const opened: SqliteDatabase[] = [];

function open(): { database: SqliteDatabase; kysely: Kysely<Tables> } {
	const database = openDatabase({
		path: join(folder, "a.db"),
		role: "test",
		synchronous: "NORMAL",
		migrations: [{ version: 1, name: "t", sql: "CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT) STRICT;" }],
	});
	opened.push(database);
	return { database, kysely: createKysely<Tables>(database) };
}
const values = async (kysely: Kysely<Tables>) =>
	(await kysely.selectFrom("t").select("x").orderBy("x").execute()).map(({ x }) => x);
const tick = () => new Promise(setImmediate);

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "lode-kysely-"));
});
afterEach(() => {
	for (const database of opened.splice(0)) database.close();
	rmSync(folder, { recursive: true, force: true });
});

it("keeps other calls of the process out of a transaction that awaits", async () => {
	const { kysely } = open();
	const failing = kysely.transaction().execute(async (transaction) => {
		await transaction.insertInto("t").values({ x: 1, y: null }).execute();
		for (let turn = 0; turn < 5; turn++) await tick();
		throw new Error("stop");
	});
	const beside = (async () => {
		await tick();
		const seen = await values(kysely);
		await kysely.insertInto("t").values({ x: 2, y: null }).execute();
		return seen;
	})();
	await expect(failing).rejects.toThrow("stop");
	expect(await beside).toEqual([]);
	expect(await values(kysely)).toEqual([2]);
});

it("lets two connections of one process write in turns, though both await within", async () => {
	const connections = [open().kysely, open().kysely];
	await Promise.all(
		connections.flatMap((kysely, connection) =>
			Array.from({ length: 5 }, (_, n) =>
				kysely.transaction().execute(async (transaction) => {
					const before = await values(transaction);
					await tick();
					expect(await values(transaction)).toEqual(before);
					await transaction
						.insertInto("t")
						.values({ x: connection * 10 + n, y: null })
						.execute();
				}),
			),
		),
	);
	expect(await values(open().kysely)).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
});

it("shows one state to a read-only transaction while another connection writes", async () => {
	const [reader, writer] = [open().kysely, open().kysely];
	await reader
		.transaction()
		.setAccessMode("read only")
		.execute(async (transaction) => {
			expect(await values(transaction)).toEqual([]);
			await writer.insertInto("t").values({ x: 1, y: null }).execute();
			expect(await values(transaction)).toEqual([]);
		});
	expect(await values(reader)).toEqual([1]);
});

it("says that the disk is full, keeps nothing of the transaction, and goes on afterwards", async () => {
	const { database, kysely } = open();
	database.exec("PRAGMA max_page_count = 8");
	const filling = kysely.transaction().execute(async (transaction) => {
		for (let x = 0; x < 1_000; x++) {
			await transaction
				.insertInto("t")
				.values({ x, y: "y".repeat(1_000) })
				.execute();
		}
	});
	await expect(filling).rejects.toMatchObject({ code: "DISK_FULL" });
	database.exec("PRAGMA max_page_count = 10000");
	expect(await values(kysely)).toEqual([]);
	await kysely.transaction().execute((transaction) => transaction.insertInto("t").values({ x: 1, y: null }).execute());
	expect(await values(kysely)).toEqual([1]);
});

it("reports changes, gives returned rows, and streams", async () => {
	const { kysely } = open();
	const rows = Array.from({ length: 3_000 }, (_, x) => ({ x, y: null }));
	const inserted = await kysely.insertInto("t").values(rows).executeTakeFirstOrThrow();
	expect(inserted.numInsertedOrUpdatedRows).toBe(3_000n);
	expect(await kysely.deleteFrom("t").where("x", ">=", 2).returning("x").execute()).toHaveLength(2_998);
	const streamed: number[] = [];
	for await (const { x } of kysely.selectFrom("t").selectAll().orderBy("x").stream()) streamed.push(x);
	expect(streamed).toEqual([0, 1]);
});
