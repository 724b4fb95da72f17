import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphRecord } from "../../src/domain/entities.js";
import { linkOrigin, nameKey } from "../../src/domain/keys.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { createSqliteGraphStore } from "../../src/stores/graph/sqlite/sqlite-graph.adapter.js";
import { Ledger } from "../support/ledger.js";

const SOURCE = "s-0123456789ab";
const NAME = nameKey(SOURCE, "symbol", "typescript", "f");
/** Which seqs are closed: they hold no records, and a lost one only lets a late write through that verification then finds. */
const WITHOUT_RECORDS = ["closed_seq", "closed_below_except", "closed_below"];

function record(origin: string, item: number, version: number): GraphRecord {
	return {
		source: SOURCE,
		origin,
		key: `symbol:${SOURCE}:${origin}#${item}`,
		kind: "symbol",
		name: `s${item}`,
		props: item === 0 ? {} : { version, text: "some text" },
		edges: item === 1 ? [] : [{ kind: "CALLS", to: NAME }],
		provides: item === 2 ? [{ name: NAME, rank: version }] : [],
	};
}

const link: GraphRecord = {
	...record(linkOrigin(NAME), 1, 1),
	key: NAME,
	kind: "name",
	edges: [{ kind: "REFERENCES", to: record("file:a", 2, 1).key }],
};

/** Real SQLite files, changed behind the store's back by other means than the store. */
describe("a graph database that someone else changed", () => {
	let folder: string;
	let original: string;
	let copies = 0;
	const snapshots: Snapshot[] = [];

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-tamper-"));
		original = join(folder, "original.db");
		const store = createSqliteGraphStore({ path: original });
		const ledger = new Ledger();
		for (const version of [1, 2]) {
			const seq = ledger.begin();
			await store.retire(seq, SOURCE, ["file:a", linkOrigin(NAME)]);
			await store.stage(seq, [...[0, 1, 2].map((item) => record("file:a", item, version)), link]);
			if (version === 1) await store.stage(seq, [record("file:b", 0, 1)]);
			snapshots.push(ledger.publish(seq));
		}
		await store.close();
	});
	afterAll(async () => {
		await rm(folder, { recursive: true, force: true });
	});

	/** What verification sees: a tally a snapshot and the store's own problems, or that it cannot be read. */
	async function look(path: string): Promise<{ tallies: string[]; problems: string[] }> {
		try {
			const store = createSqliteGraphStore({ path });
			try {
				const problems = (await store.check()).map(({ record, problem }) => `${record}: ${problem}`);
				const tallies = [];
				for (const snapshot of snapshots) tallies.push(JSON.stringify(await store.tally(snapshot, SOURCE)));
				return { tallies, problems };
			} finally {
				await store.close();
			}
		} catch (error) {
			return { tallies: [], problems: [(error as Error).message] };
		}
	}
	const forget = (path: string) => rm(path, { force: true });
	/** A file of its own each time: cutting one short that is mapped into memory would kill the process. */
	const copy = (): string => {
		const path = join(folder, `copy-${++copies}.db`);
		copyFileSync(original, path);
		return path;
	};
	const tablesOf = (raw: DatabaseSync): string[] =>
		raw
			.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
			.all()
			.map((row) => row.name as string);
	const contentOf = (path: string): string => {
		const raw = new DatabaseSync(path, { readOnly: true });
		try {
			return JSON.stringify(
				tablesOf(raw).map((table) => [
					table,
					raw
						.prepare(`SELECT * FROM ${table} NOT INDEXED`)
						.all()
						.map((row) => Object.entries(row)),
				]),
			);
		} finally {
			raw.close();
		}
	};

	it("is well before", async () => {
		const { tallies, problems } = await look(copy());
		expect(problems).toEqual([]);
		expect(new Set(tallies).size).toBe(2);
	});

	it("shows every row that is deleted and every value that is changed, in any table", async () => {
		const untouched = await look(copy());
		const raw = new DatabaseSync(original, { readOnly: true });
		const changes: { sql: string; values: SQLInputValue[] }[] = [];
		for (const table of tablesOf(raw).filter((name) => !WITHOUT_RECORDS.includes(name))) {
			const rows = raw.prepare(`SELECT * FROM ${table}`).all();
			expect(rows.length, table).toBeGreaterThan(0);
			for (const row of rows) {
				const columns = Object.keys(row);
				const values = Object.values(row) as SQLInputValue[];
				const where = columns.map((column) => `${column} IS ?`).join(" AND ");
				changes.push({ sql: `DELETE FROM ${table} WHERE ${where}`, values });
				for (const [index, column] of columns.entries())
					changes.push({
						sql: `UPDATE ${table} SET ${column} = ? WHERE ${where}`,
						values: [other(values[index] as SQLInputValue), ...values],
					});
			}
		}
		raw.close();
		expect(changes.length).toBeGreaterThan(150);

		const unseen = [];
		for (const { sql, values } of changes) {
			const path = copy();
			const writer = new DatabaseSync(path, { enableForeignKeyConstraints: false });
			let done = 0;
			try {
				done = Number(writer.prepare(sql).run(...values).changes);
			} catch {
				// The engine itself refuses it, for example two rows of one identity.
			}
			writer.close();
			if (done === 0) continue;
			const { tallies, problems } = await look(path);
			await forget(path);
			if (problems.length === 0 && tallies.join() === untouched.tallies.join()) unseen.push({ sql, values });
		}
		expect(unseen).toEqual([]);
	});

	it("names the record whose content, edge, name or lifetime was changed", async () => {
		const key = record("file:a", 2, 2).key;
		const changes = [
			`UPDATE state SET props = replace(props, 'some', 'other') WHERE added_at = 2 AND name = 's2'`,
			`UPDATE state SET props = 'not JSON' WHERE added_at = 2 AND name = 's2'`,
			`UPDATE state SET removed_at = 2 WHERE added_at = 2 AND name = 's2'`,
			`DELETE FROM edge WHERE state = (SELECT id FROM state WHERE added_at = 2 AND name = 's2')`,
			`UPDATE edge SET kind = 'IMPORTS' WHERE state = (SELECT id FROM state WHERE added_at = 2 AND name = 's2')`,
			`DELETE FROM provided WHERE state = (SELECT id FROM state WHERE added_at = 2 AND name = 's2')`,
			`UPDATE provided SET rank = 9 WHERE state = (SELECT id FROM state WHERE added_at = 2 AND name = 's2')`,
			`UPDATE provided SET target = 'x' WHERE state = (SELECT id FROM state WHERE added_at = 2 AND name = 's2')`,
		];
		for (const sql of changes) {
			const path = copy();
			const writer = new DatabaseSync(path);
			expect(writer.prepare(sql).run().changes, sql).toBe(1);
			writer.close();
			const store = createSqliteGraphStore({ path });
			const problems = await store.check();
			await store.close();
			expect(problems[0], sql).toEqual({ source: SOURCE, record: `file:a ${key}`, problem: expect.any(String) });
			for (const problem of problems) expect(problem.record, sql).toContain(key);
		}
	});

	it("shows every byte of the file that matters", async () => {
		const untouched = await look(copy());
		const content = contentOf(copy());
		const bytes = readFileSync(original);
		const unseen = [];
		// A stride that is prime to the page size visits all kinds of places.
		for (let offset = 17; offset < bytes.length; offset += 397) {
			const path = copy();
			const changed = Buffer.from(bytes);
			changed[offset] = (changed[offset] as number) ^ 0x55;
			writeFileSync(path, changed);
			const { tallies, problems } = await look(path);
			// Neither problem nor other tally: then it was unused space, and every row is as before.
			const seen = problems.length > 0 || tallies.join() !== untouched.tallies.join();
			if (!seen && contentOf(path) !== content) unseen.push(offset);
			await forget(path);
		}
		expect(unseen).toEqual([]);
	});
});

function other(value: SQLInputValue): SQLInputValue {
	if (value === null) return 1;
	if (typeof value === "number" || typeof value === "bigint") return Number(value) + 1;
	if (typeof value === "string") return `${value}x`;
	const bytes = Buffer.from(value as Uint8Array);
	bytes[0] = (bytes[0] as number) ^ 1;
	return bytes;
}
