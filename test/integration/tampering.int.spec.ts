import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { copyFile, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, sep } from "node:path";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import type { VerifyReport } from "../../src/services/reports.js";
import { readManifest } from "../../src/stores/artifacts/manifest.js";
import { openReader } from "../../src/wiring.js";
import { createRepository } from "../support/git-repository.js";
import { columnsOf, DATABASES, tablesOf, withRawDatabase } from "../support/home-rows.js";
import { LodeInstance } from "../support/lode-instance.js";
import { seededRandom } from "../support/seeded-random.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

const SEED = Number(process.env.LODE_TEST_SEED ?? 20_261_121);
const ROWS_A_TABLE = 2;

/** What no check can judge, and why. */
const EXEMPT_ROWS: Readonly<Record<string, string>> = {
	"catalog.db checkpoint": "a consumer's own progress: any place in the log is a legal one",
	"catalog.db processed_event": "a consumer's own progress; a rebuild makes it anew",
	"catalog.db consumer_stream": "the same",
	"catalog.db source_activity": "a read model: a rebuild makes it anew from the events",
	"catalog.db batch": "holds rows of open ingestions only, and there is none here",
	"graph.db closed_seq": "which seqs are refused: no record; a lost one lets a late write through, which is then found",
	"graph.db closed_below_except": "the same",
	"graph.db closed_below.seq": "the same",
	"vectors.db closed_seq": "the same",
	"vectors.db closed_below_except": "the same",
	"vectors.db closed_below": "the same",
	"vectors.db chunk_change": "what running processes read again; a process that starts reads everything",
	"roots.db closed_seq": "the same",
	"roots.db closed_below_except": "the same",
	"roots.db closed_below": "the same",
	"vectors.db sqlite_sequence": "the next number of a row: any that is free is legal",
	"vectors.db terms_docsize.origin":
		"where in the index a later deletion leaves its mark: no reader sees it, and what such a deletion missed is named then",
	"vectors.db terms_data.block of [10]":
		"the list of the index's segments is held against its pages; the counters beside it only tell when to merge them",
	"vectors.db terms_config":
		"settings of the full-text engine, no record; one it does not know is an error of the engine",
	"vectors.db terms_content": "empty: the index keeps no text",
};
// What commits say has a full-text index of its own.
const EXEMPT: Readonly<Record<string, string>> = Object.fromEntries(
	Object.entries(EXEMPT_ROWS).flatMap(([what, why]) => [
		[what, why],
		[what.replace("vectors.db terms_", "vectors.db subjects_"), why],
	]),
);

const FIRST = {
	"README.md": "# Shop\n\nAll about [orders](models/orders.sql).\n\n## Parts\n\nMore text here.\n",
	"src/a.ts": 'import { b } from "./b.js";\n\nexport function a(): number {\n\treturn b() + 1;\n}\n',
	"src/b.ts": "export function b(): number {\n\treturn 41;\n}\n",
	"dbt_project.yml": "name: shop\nversion: '1.0'\nmodel-paths: [models]\nseed-paths: [seeds]\n",
	"models/stg_orders.sql": "select id as order_id, amount from {{ ref('raw_orders') }}\n",
	"models/orders.sql": "select order_id, sum(amount) as total from {{ ref('stg_orders') }} group by 1\n",
	"seeds/raw_orders.csv": "id,amount\n1,10\n2,20\n",
};
const SECOND = {
	"src/b.ts": "export function b(): number {\n\treturn 42;\n}\n",
	"docs/new.md": "# New\n\nA new file.\n",
};

type Row = Record<string, SQLInputValue>;
type Problems = VerifyReport["problems"];

/** Real: everything. Changed behind Lode's back: files of its home. */
describe(`a home that someone else changed (seed ${SEED})`, () => {
	let environment: TestWorkflowEnvironment;
	let folder: string;
	let home: string;
	let pristine: string;
	let source: string;
	const random = seededRandom(SEED);

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-tampering-"));
		home = join(folder, "home");
		pristine = join(folder, "pristine");
		environment = await temporalEnvironment();
		const repository = await createRepository();
		const lode = await LodeInstance.open(environment);
		try {
			await repository.commit({ files: FIRST });
			({ source } = await lode.ingest(repository.path));
			await repository.commit({ files: SECOND, deletes: ["src/a.ts"] });
			await lode.ingest(repository.path);
			await lode.verified();
		} finally {
			// Files that nobody writes any more can be copied, with what their logs hold.
			await cp(lode.home, home, { recursive: true });
			await lode.close();
			await repository.remove();
		}
		for (const file of DATABASES) withRawDatabase(home, file, (raw) => raw.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
		await cp(home, pristine, { recursive: true });
	});
	afterAll(async () => {
		await environment?.teardown();
		await rm(folder, { recursive: true, force: true, maxRetries: 3 });
	});

	async function verify(at?: string): Promise<VerifyReport> {
		const { config } = loadConfig({ env: { LODE_HOME: home }, cwd: home });
		const reader = await openReader(config);
		try {
			return await reader.verify({ at });
		} finally {
			await reader.close();
		}
	}

	/** Puts one file back as it was, without what a connection left beside it. */
	async function restore(file: string): Promise<void> {
		for (const part of ["", "-wal", "-shm"]) await rm(join(home, `${file}${part}`), { force: true });
		await copyFile(join(pristine, file), join(home, file));
	}

	/** Every occurrence of every term, as the full-text index tells it. */
	const indexed = (raw: DatabaseSync): string =>
		JSON.stringify(raw.prepare("SELECT term, doc, col, offset FROM term_instances").all());

	/**
	 * What verify says after a change of one file; undefined where SQLite itself refuses the change, or where it is one of the marks within
	 * the full-text index that mean nothing as long as each row is written once.
	 */
	async function problemsAfter(
		file: string,
		change: (raw: DatabaseSync) => number,
		what = "",
	): Promise<Problems | undefined> {
		const before = file === "vectors.db" ? withRawDatabase(home, file, indexed) : "";
		try {
			let changed = 0;
			try {
				changed = withRawDatabase(home, file, change);
			} catch {
				return undefined;
			}
			if (changed === 0) return undefined;
			const report = await verify();
			expect(report.ok).toBe(report.problems.length === 0);
			if (report.ok && file === "vectors.db" && /(terms|subjects)_data\.block/.test(what))
				if (withRawDatabase(home, file, indexed) === before) return undefined;
			return report.problems;
		} finally {
			await restore(file);
		}
	}

	/** In which store a problem has to be reported, and what of the row it has to mention: one of these texts. */
	function namesOf(raw: DatabaseSync, file: string, table: string, row: Row): { store: string; names: string[] } {
		const text = (sql: string, ...values: SQLInputValue[]) =>
			raw
				.prepare(sql)
				.all(...values)
				.map((found) => String(Object.values(found)[0]));
		const keyOf = (state: SQLInputValue) =>
			text("SELECT k.text FROM state s JOIN term k ON k.id = s.key WHERE s.id = ?", state);
		const chunkOf = (id: SQLInputValue) => [
			...text(
				"SELECT o.text || ' chunk ' || c.ordinal FROM chunk c JOIN name o ON o.id = c.origin_id WHERE c.id = ?",
				id,
			),
			...text("SELECT o.text FROM chunk c JOIN name o ON o.id = c.origin_id WHERE c.id = ?", id),
			`chunk row ${id}`,
		];
		switch (`${basename(file)} ${table}`) {
			case "graph.db state":
				return {
					store: "graph",
					names: [...keyOf(row.id as number), ...text("SELECT name FROM origin WHERE id = ?", row.origin as number)],
				};
			case "graph.db edge":
			case "graph.db arrival":
			case "graph.db provided":
				return { store: "graph", names: keyOf(row.state as number) };
			case "graph.db origin":
			case "graph.db source":
				return { store: "graph", names: [row.name as string, `${table} ${row.id} `, "file:", "commit:"] };
			case "graph.db term":
				return {
					store: "graph",
					names: [
						row.text as string,
						...text(
							`SELECT k.text FROM state s JOIN term k ON k.id = s.key WHERE s.key = :id
							OR s.id IN (SELECT state FROM edge WHERE target = :id UNION SELECT state FROM provided WHERE name = :id)`,
							...([{ id: row.id }] as unknown as SQLInputValue[]),
						),
						...text(
							`SELECT o.name FROM state s JOIN origin o ON o.id = s.origin WHERE s.key = :id
							OR s.id IN (SELECT state FROM edge WHERE target = :id UNION SELECT state FROM provided WHERE name = :id)`,
							...([{ id: row.id }] as unknown as SQLInputValue[]),
						),
					],
				};
			case "graph.db closed_below":
				return { store: "graph", names: ["closed_below"] };
			case "graph.db changed_seq":
				return { store: "graph", names: [`, ${row.what} at ${row.seq}`] };
			case "vectors.db chunk":
				return {
					store: "vectors",
					names: [...chunkOf(row.id as number), ...text("SELECT text FROM name WHERE id = ?", row.origin_id as number)],
				};
			case "vectors.db content":
			case "vectors.db vector":
			case "vectors.db terms_docsize":
			case "vectors.db subjects_docsize":
				return { store: "vectors", names: chunkOf(row.id as number) };
			case "vectors.db name":
			case "vectors.db path":
			case "vectors.db model":
			case "vectors.db terms_data":
			case "vectors.db terms_idx":
			case "vectors.db subjects_data":
			case "vectors.db subjects_idx":
				// Many chunks share it.
				return { store: "vectors", names: [" chunk ", "chunk row", "vectors database"] };
			case "roots.db root":
				return { store: "artifacts", names: [`seq ${row.seq}`] };
			case "catalog.db entry":
				return { store: "catalog", names: [`${row.origin}`, "entries instead of"] };
			case "catalog.db event":
				return { store: "catalog", names: [`stream ${row.stream}`, `position ${row.position}`] };
			case "catalog.db stream":
				return { store: "catalog", names: [`stream ${row.name}`] };
			case "catalog.db source":
				return { store: "catalog", names: [`source ${row.id}`] };
			case "catalog.db source_group":
				return { store: "catalog", names: [`group ${row.name} of ${row.source}`] };
			case "catalog.db ingestion":
				return { store: "catalog", names: [`ingestion ing-${row.seq}`] };
			case "catalog.db snapshot":
				return { store: "catalog", names: [`snapshot ${row.number}`] };
			case "catalog.db horizon":
				return { store: "catalog", names: [`horizon of ${row.source}`] };
			case "catalog.db event_log":
				return { store: "catalog", names: ["event log"] };
			default:
				return { store: basename(file, ".db"), names: [table] };
		}
	}

	const other = (value: SQLInputValue): SQLInputValue[] => {
		if (value === null) return [1, "tampered"];
		if (typeof value === "number" || typeof value === "bigint") return [Number(value) + 1];
		if (typeof value === "string") return [`${value}x`];
		const bytes = Buffer.from(value as Uint8Array);
		const at = Math.floor(random() * bytes.length);
		bytes[at] = (bytes[at] as number) ^ 1;
		return [bytes];
	};

	function sample<T>(items: readonly T[], count: number): T[] {
		const left = [...items];
		return Array.from(
			{ length: Math.min(count, left.length) },
			() => left.splice(Math.floor(random() * left.length), 1)[0] as T,
		);
	}

	interface Case {
		readonly what: string;
		readonly expected: { store: string; names: string[] };
		readonly change: (raw: DatabaseSync) => number;
	}

	/** A deletion and a change of every column, for a sample of the rows of every table. */
	function casesOf(file: string): Case[] {
		const name = basename(file);
		return withRawDatabase(home, file, (raw) => {
			const cases: Case[] = [];
			for (const table of tablesOf(raw)) {
				// Virtual tables keep their rows in the tables beside them.
				const virtual = raw
					.prepare("SELECT 1 FROM sqlite_schema WHERE name = ? AND sql LIKE 'CREATE VIRTUAL%'")
					.get(table);
				if (virtual || `${name} ${table}` in EXEMPT || table.startsWith("sqlite_stat")) continue;
				const keys = raw
					.prepare(`SELECT name FROM pragma_table_info('${table}') WHERE pk > 0 ORDER BY pk`)
					.all()
					.map((row) => row.name as string);
				const rows = raw.prepare(`SELECT * FROM ${table}`).all() as Row[];
				if (rows.length === 0) {
					expect(table, `${name} ${table} holds nothing: extend what is ingested`).toBe("horizon");
					continue;
				}
				for (const row of sample(rows, ROWS_A_TABLE)) {
					const expected = namesOf(raw, file, table, row);
					const where = keys.map((key) => `${key} IS ?`).join(" AND ");
					const place = keys.map((key) => row[key] as SQLInputValue);
					cases.push({
						what: `${name}: DELETE FROM ${table} ${JSON.stringify(place)}`,
						expected,
						change: (db) => Number(db.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...place).changes),
					});
					for (const column of columnsOf(raw, table)) {
						if (`${name} ${table}.${column}` in EXEMPT) continue;
						for (const value of other(row[column] as SQLInputValue)) {
							if (value instanceof Uint8Array && value.length === 0) continue;
							if (`${name} ${table}.${column} of ${JSON.stringify(place)}` in EXEMPT) continue;
							cases.push({
								what: `${name}: ${table}.${column} of ${JSON.stringify(place)} = ${String(value).slice(0, 60)}`,
								expected: {
									...expected,
									names: [...expected.names, ...namesOf(raw, file, table, { ...row, [column]: value }).names],
								},
								change: (db) =>
									Number(db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(value, ...place).changes),
							});
						}
					}
				}
			}
			return cases;
		});
	}

	test("is sound before", async () => {
		expect(await verify()).toMatchObject({ ok: true, problems: [] });
	});

	test.each(DATABASES)("verify names every row of %s that was changed or deleted", async (file) => {
		const missed: unknown[] = [];
		let tried = 0;
		for (const { what, expected, change } of casesOf(file)) {
			let problems: Problems | undefined;
			try {
				problems = await problemsAfter(file, change, what);
			} catch (error) {
				missed.push({ what, error: String(error) });
				continue;
			}
			if (problems === undefined) continue;
			tried += 1;
			const named = problems.some(
				({ store, record, problem }) =>
					store === expected.store && expected.names.some((name) => `${record}: ${problem}`.includes(name)),
			);
			if (!named) missed.push({ what, expected, problems: problems.slice(0, 3) });
		}
		expect(missed).toEqual([]);
		expect(tried).toBeGreaterThan(file.includes("roots") ? 5 : 30);
	});

	/** All files of the archive below a folder, by their path in the home. */
	function filesBelow(below: string): string[] {
		return readdirSync(join(home, below), { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => relative(home, join(entry.parentPath, entry.name)))
			.sort();
	}

	const damages: Readonly<Record<string, (bytes: Buffer) => Buffer | undefined>> = {
		"a byte flipped": (bytes) => {
			const changed = Buffer.from(bytes);
			const at = Math.floor(random() * changed.length);
			changed[at] = (changed[at] as number) ^ 0x20;
			return changed;
		},
		truncated: (bytes) => bytes.subarray(0, bytes.length - 1),
		emptied: () => Buffer.alloc(0),
		deleted: () => undefined,
	};

	test("verify names every object, manifest folder and mined file that was changed, cut short or deleted", async () => {
		// What each object is, so that a problem can be held against it.
		const { config } = loadConfig({ env: { LODE_HOME: home }, cwd: home });
		const { openStores } = await import("../../src/wiring.js");
		const stores = await openStores(config);
		const names = new Map<string, string[]>();
		const folders = new Set<string>();
		const mined = new Map<string, string[]>();
		try {
			for (const { root } of await stores.value.artifacts.roots()) {
				for await (const file of readManifest(stores.value.artifacts, root.object, folders))
					names.set(file.object, [`file:${file.path}`]);
			}
			for (const folder of folders) names.set(folder, [folder]);
			for (const number of [1, 2]) {
				const snapshot = await stores.value.catalog.snapshot({ by: "number", number });
				for (const { origin, file } of await stores.value.catalog.entries(snapshot, source, undefined, 1_000))
					if (file) mined.set(file.mined, [origin]);
			}
		} finally {
			await stores.close();
		}
		expect(mined.size).toBeGreaterThan(Object.keys(FIRST).length);

		const missed: unknown[] = [];
		const files = [...filesBelow(join("artifacts", "objects")), ...filesBelow(join("artifacts", "derived"))];
		// Folders that a manifest had for a moment, between two pages of edits: nothing refers to them, garbage collection takes them.
		let garbage = 0;
		for (const file of files) {
			const parts = file.split(sep);
			const address = parts.slice(2).join("");
			const key = parts.slice(2).join("/").replace(/~$/, "");
			const expected = parts[1] === "objects" ? names.get(address) : mined.get(key);
			if (!expected) {
				expect(parts[1]).toBe("objects");
				garbage += 1;
				continue;
			}
			const bytes = readFileSync(join(home, file));
			for (const [how, damage] of Object.entries(damages)) {
				const damaged = damage(bytes);
				if (damaged?.equals(bytes)) continue;
				if (damaged === undefined) rmSync(join(home, file));
				else writeFileSync(join(home, file), damaged);
				const { ok, problems } = await verify().finally(() => writeFileSync(join(home, file), bytes));
				const named = problems.some(
					({ store, record, problem }) =>
						store === "artifacts" && expected.some((name) => `${record}: ${problem}`.includes(name)),
				);
				if (ok || !named) missed.push({ file, how, expected, problems: problems.slice(0, 3) });
			}
		}
		expect(missed).toEqual([]);
		expect(garbage).toBeLessThan(5);
		expect(files.length).toBeGreaterThan(25);
	});

	test("verify notices every byte of a database that matters", async () => {
		const content = (file: string) =>
			withRawDatabase(home, file, (raw) =>
				JSON.stringify(
					tablesOf(raw)
						// Statistics of SQLite's planner, and views of the full-text index.
						.filter((table) => !/^(sqlite_stat|term_)/.test(table))
						.map((table) => raw.prepare(`SELECT * FROM "${table}" NOT INDEXED`).all()),
				),
			);
		const unseen: unknown[] = [];
		for (const file of DATABASES) {
			const before = content(file);
			const bytes = readFileSync(join(home, file));
			for (let count = 0; count < 25; count++) {
				const offset = Math.floor(random() * bytes.length);
				const changed = Buffer.from(bytes);
				changed[offset] = (changed[offset] as number) ^ 0x55;
				// A file of its own: one that was mapped into memory must not change under it.
				await rm(join(home, file));
				writeFileSync(join(home, file), changed);
				let seen: boolean;
				try {
					seen = !(await verify()).ok;
				} catch (error) {
					// The file cannot even be opened: a coded error says which one.
					seen = /database \(/.test((error as Error).message);
					if (!seen) unseen.push({ file, offset, error: String(error) });
				}
				if (!seen) {
					let after: string;
					try {
						after = content(file);
					} catch (error) {
						after = String(error);
					}
					// Nothing to see where the byte lay in unused space.
					if (after !== before) unseen.push({ file, offset });
				}
				await restore(file);
			}
		}
		expect(unseen).toEqual([]);
	});

	test.each([
		["graph.db", "DROP INDEX state_added", "graph"],
		["vectors.db", "ALTER TABLE content RENAME COLUMN digest TO digests", "vectors"],
		["catalog.db", "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END", "catalog"],
		[join("artifacts", "roots.db"), "DROP INDEX root_seq", "artifacts"],
	])("verify names what is not as it should be in the schema of %s", async (file, sql, store) => {
		const problems = await problemsAfter(file, (raw) => {
			raw.exec(sql);
			return 1;
		});
		expect(problems?.map((problem) => `${problem.store} ${problem.record}`)).toContainEqual(
			expect.stringMatching(new RegExp(`^${store} .*(schema of|database)`)),
		);
	});

	test("verify at an earlier snapshot names what is damaged there", async () => {
		const gone = withRawDatabase(home, "graph.db", (raw) =>
			raw.prepare("DELETE FROM state WHERE removed_at IS NOT NULL AND name = 'a'").run(),
		).changes;
		expect(Number(gone)).toBeGreaterThan(0);
		const report = await verify("1").finally(() => restore("graph.db"));
		expect(report).toMatchObject({ ok: false, snapshot: 1 });
		expect(report.problems.map(({ store, record }) => `${store} ${record}`)).toContainEqual(
			expect.stringContaining("graph file:src/a.ts"),
		);
	});
});
