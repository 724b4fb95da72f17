import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fileOrigin } from "../../src/domain/keys.js";
import type { Catalog } from "../../src/stores/catalog/catalog.port.js";
import { type CatalogDatabase, openCatalogDatabase } from "../../src/stores/catalog/sqlite/catalog-database.js";
import { createSqliteCatalog } from "../../src/stores/catalog/sqlite/sqlite-catalog.adapter.js";
import { createSqliteEventStore } from "../../src/stores/events/sqlite/sqlite-event-store.adapter.js";
import type { StoreProblem } from "../../src/stores/versioned.port.js";
import { addSource, fileEntry, ingest, newGroup, STATS, started, TestClock } from "../support/catalog-fixtures.js";

type Row = Record<string, SQLInputValue>;

/**
 * Rows that a check cannot judge. A checkpoint is one consumer's own progress: any place in the log is a legal one, and events are
 * handed out at least once anyway. Read models, and what their consumers keep, are made anew from the events by a rebuild.
 */
const EXEMPT = new Set(["checkpoint", "processed_event", "consumer_stream", "source_activity"]);

describe("a catalog in SQLite, tampered with", () => {
	let db: CatalogDatabase;
	let catalog: Catalog;

	// One installation with something of everything: heads, history, a horizon, collected entries, open and released ingestions.
	beforeAll(async () => {
		const clock = new TestClock();
		db = openCatalogDatabase(":memory:");
		catalog = createSqliteCatalog({ database: db, now: clock.now });
		for (const source of ["a", "b", "c", "d"]) await addSource(catalog, source);
		await catalog.putGroup(newGroup("a", "default", { maxVersions: 2 }));
		const late = await started(catalog, "b", "b1");
		await catalog.recordBatch(late.seq, { batch: "0", retired: [], entries: [fileEntry("x")] });
		for (let version = 1; version <= 4; version++) {
			clock.advance(60);
			await ingest(catalog, "a", `a${version}`, { x: version, y: 1 + (version & 1), [`only-${version}`]: 1 });
		}
		await catalog.publish(late.seq, STATS);
		await ingest(catalog, "b", "b2", { x: 2, z: 1 });
		const parked = await started(catalog, "b", "b3");
		await catalog.recordBatch(parked.seq, { batch: "0", retired: ["file:x"], entries: [fileEntry("x", 3)] });
		await catalog.abort(parked.seq, { code: "DISK_FULL", message: "full" });
		await catalog.release(parked.seq, "parked");
		const horizon = await catalog.moveHorizon("a", clock.now());
		if (!horizon) throw new Error("a horizon was expected");
		await catalog.collect("a", horizon);
		await ingest(catalog, "d", "d1", { x: 1 });
		await catalog.markRemoved("d");
		await catalog.dropSource("d");
		const staging = await started(catalog, "a", "a5");
		await catalog.recordBatch(staging.seq, { batch: "0", retired: ["file:x"], entries: [fileEntry("x", 5)] });
		await catalog.recordBatch(staging.seq, { batch: "1", retired: ["file:y"], entries: [fileEntry("w", 5)] });
		const aborted = await started(catalog, "b", "b4");
		await catalog.recordBatch(aborted.seq, { batch: "0", retired: [fileOrigin("z")], entries: [fileEntry("v", 1)] });
		await catalog.abort(aborted.seq, { code: "DISK_FULL", message: "full" });
		await catalog.markRemoved("c");
		const events = createSqliteEventStore({ database: db });
		let stop = async (): Promise<void> => {};
		await new Promise<void>((resolve) => {
			void events
				.subscribe("consumer", async () => resolve())
				.then((end) => {
					stop = end;
				});
		});
		await stop();
		expect(await events.activity()).toMatchObject([
			{ source: "a", published: 4, compensated: 0 },
			{ source: "b", published: 2, compensated: 1 },
		]);
		db.database.exec("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;");
	});
	afterAll(() => db.close());

	const tables = () =>
		db.database
			.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
			.all<{ name: string }>()
			.map(({ name }) => name);
	const rowsOf = (table: string) =>
		db.database
			.prepare(`SELECT * FROM ${table}`)
			.all<Row>()
			.map((row) => ({ ...row }));
	const keysOf = (table: string) =>
		db.database
			.prepare(`SELECT name FROM pragma_table_info('${table}') WHERE pk > 0 ORDER BY pk`)
			.all<{ name: string }>()
			.map(({ name }) => name);

	/** Undone afterwards: every case starts from the sound catalog. Undefined where the schema itself refuses the change. */
	async function checkAfter(table: string, change: () => void): Promise<StoreProblem[] | undefined> {
		const before = rowsOf(table);
		try {
			change();
		} catch {
			return undefined;
		}
		try {
			return await catalog.check();
		} finally {
			db.database.raw.exec(`BEGIN; DELETE FROM ${table}`);
			for (const row of before) {
				const values = Object.keys(row).map((column) => `:${column}`);
				db.database.raw.prepare(`INSERT INTO ${table} VALUES (${values.join(", ")})`).run(row);
			}
			db.database.raw.exec("COMMIT");
		}
	}

	/** What a problem has to mention so that a person finds the row. */
	function namesOf(table: string, row: Row): string[] {
		switch (table) {
			case "entry":
				return [`entry ${row.origin} added at`];
			case "event":
				return [`stream ${row.stream}`, `position ${row.position}`];
			case "stream":
				return [`stream ${row.name}`];
			case "source":
				return [`source ${row.id}`];
			case "source_group":
				return [`group ${row.name} of ${row.source}`];
			case "ingestion":
				return [`ingestion ing-${row.seq}`];
			case "batch":
				return [`batch ${row.name} of seq ${row.seq}`];
			case "snapshot":
				return [`snapshot ${row.number}`];
			case "horizon":
				return [`horizon of ${row.source}`];
			default:
				return [table.replace("_", " ")];
		}
	}

	function expectNamed(
		problems: StoreProblem[] | undefined,
		table: string,
		row: Row,
		what: string,
		now: Row = row,
	): void {
		if (problems === undefined) return;
		const records = problems.map(({ record, problem }) => `${record}: ${problem}`);
		const found = [...namesOf(table, row), ...namesOf(table, now)].some((name) =>
			records.some((text) => text.includes(name)),
		);
		expect(found, `${what} of ${table} ${JSON.stringify(row)} was reported as ${JSON.stringify(records)}`).toBe(true);
	}

	const missingOne = (row: Row) => {
		const problem = expect.stringMatching(/^(\d+) entries instead of (\d+)/);
		return expect.objectContaining({ source: row.source, problem });
	};

	const changed = (value: SQLInputValue, column: string): SQLInputValue[] => {
		if (value === null) return [1, "tampered"];
		if (typeof value === "number") return [value + 1, value - 1];
		if (typeof value !== "string") throw new Error(`column ${column} has an unexpected type`);
		// Text, and a digit within it: JSON that stays JSON.
		const digit = value.search(/[0-8]/);
		const bumped = digit < 0 ? [] : [`${value.slice(0, digit)}${Number(value[digit]) + 1}${value.slice(digit + 1)}`];
		return [`${value}x`, ...bumped];
	};

	it("is sound before", async () => {
		expect(await catalog.check()).toEqual([]);
		for (const table of tables()) expect(rowsOf(table).length, table).toBeGreaterThan(0);
	});

	it("names every row that was deleted", async () => {
		for (const table of tables().filter((name) => !EXEMPT.has(name))) {
			const keys = keysOf(table);
			for (const row of rowsOf(table)) {
				const where = keys.map((key) => `${key} = ?`).join(" AND ");
				const problems = await checkAfter(table, () => {
					db.database.raw.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...keys.map((key) => row[key] ?? null));
				});
				// What is gone has no name left here: the sums tell which source and version miss it, and the other stores' records of
				// that origin, which no entry explains any more, tell its name (see services/reading).
				if (table === "entry") expect(problems).toContainEqual(missingOne(row));
				else expectNamed(problems, table, row, "a deletion");
			}
		}
	});

	it("names every row of which any column was changed", async () => {
		for (const table of tables().filter((name) => !EXEMPT.has(name))) {
			const keys = keysOf(table);
			const where = keys.map((key) => `${key} = ?`).join(" AND ");
			for (const row of rowsOf(table)) {
				for (const [column, value] of Object.entries(row)) {
					const values = [...changed(value, column), ...(value === null ? [] : [null])];
					for (const other of values) {
						const problems = await checkAfter(table, () => {
							db.database.raw
								.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`)
								.run(other, ...keys.map((key) => row[key] ?? null));
						});
						// As it was, or as it stands now: either way a person finds it.
						expectNamed(problems, table, row, `${column} = ${other}`, { ...row, [column]: other });
					}
				}
			}
		}
	});

	it("counts nothing beyond a gap in a stream", async () => {
		const events = createSqliteEventStore({ database: db });
		await events.append("webhooks-a", "any", [
			{ type: "WebhookReceived", data: {}, metadata: { correlationId: "c", idempotencyKey: "1", source: "a" } },
			{ type: "WebhookReceived", data: {}, metadata: { correlationId: "c", idempotencyKey: "2", source: "a" } },
		]);
		const [lost] = rowsOf("event").filter(({ stream, version }) => stream === "webhooks-a" && version === 1);
		db.database.raw.prepare("DELETE FROM event WHERE position = ?").run(lost?.position ?? 0);
		await expect(events.activity()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
		const values = Object.keys(lost as Row).map((column) => `:${column}`);
		db.database.raw.prepare(`INSERT INTO event VALUES (${values.join(", ")})`).run(lost as Row);
		expect((await events.activity())[0]).toMatchObject({ source: "a", receipts: 2 });
	});

	it("names a checkpoint beyond the log, and a row that refers to nothing", async () => {
		const beyond = await checkAfter("checkpoint", () =>
			db.database.raw.exec("UPDATE checkpoint SET position = 100000"),
		);
		expect(beyond?.map(({ record }) => record)).toEqual(["checkpoint of consumer", "checkpoint of source-activity"]);
		const orphaned = await checkAfter("source", () => db.database.raw.exec("DELETE FROM source WHERE id = 'c'"));
		expect(orphaned?.map(({ record }) => record)).toContain("table source_group");
	});
});

describe("a catalog in SQLite, in a bad state", () => {
	let folder: string;
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-catalog-bad-"));
	});
	afterEach(() => rm(folder, { recursive: true, force: true }));

	it("publishes nothing on a base that is no longer the head", async () => {
		const database = openCatalogDatabase(join(folder, "catalog.db"));
		const catalog = createSqliteCatalog({ database });
		await addSource(catalog, "a");
		await ingest(catalog, "a", "c1", { x: 1 });
		const { seq } = await started(catalog, "a", "c2");
		// The rules of begin do not let it happen; publish has to hold without them.
		database.database.exec("UPDATE ingestion SET base_seq = NULL WHERE seq = 2");
		await expect(catalog.publish(seq, STATS)).rejects.toMatchObject({ code: "BASE_MOVED" });
		expect(await catalog.snapshot({ by: "latest" })).toMatchObject({ number: 1 });
		database.close();
	});

	it("answers damaged content with a coded error, not with half an answer", async () => {
		const database = openCatalogDatabase(join(folder, "catalog.db"));
		const catalog = createSqliteCatalog({ database });
		await addSource(catalog, "a");
		const { snapshot } = await ingest(catalog, "a", "c1", { x: 1, y: 1 });
		database.database.exec("UPDATE entry SET content = substr(content, 2) WHERE origin = 'file:x'");
		await expect(catalog.entries(snapshot, "a", undefined, 10)).rejects.toMatchObject({
			code: "STORE_CORRUPT",
			message: expect.stringContaining("file:x"),
		});
		database.close();
	});

	it("reports pages of the file that were overwritten", async () => {
		const path = join(folder, "catalog.db");
		const catalog = createSqliteCatalog({ path });
		await addSource(catalog, "a");
		await ingest(catalog, "a", "c1", Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`f${n}`, 1])));
		await catalog.close();
		const bytes = await readFile(path);
		const page = bytes.readUInt16BE(16);
		let refused = 0;
		for (let number = 1; number < bytes.length / page; number++) {
			const damaged = Buffer.from(bytes);
			damaged.fill(0xa5, number * page, (number + 1) * page);
			await writeFile(path, damaged);
			// A page of the schema: it is not even opened.
			const reopened = await Promise.resolve()
				.then(() => createSqliteCatalog({ path }))
				.catch((error: unknown) => {
					expect(error, `page ${number + 1}`).toMatchObject({ code: "STORE_CORRUPT" });
					refused += 1;
				});
			if (!reopened) continue;
			expect(await reopened.check(), `page ${number + 1}`).not.toEqual([]);
			await reopened.close();
		}
		expect(refused).toBeLessThan(5);
	});
});
