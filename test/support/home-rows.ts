import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

/** Every SQLite file of a home in which records of a seq may lie. */
export const DATABASES = ["catalog.db", "graph.db", "vectors.db", join("artifacts", "roots.db")] as const;

/** Opens one of a home's files as someone else would: not through the store, and not protected from writing its inner tables. */
export function withRawDatabase<T>(home: string, file: string, use: (raw: DatabaseSync) => T): T {
	const raw = new DatabaseSync(join(home, file), {
		defensive: false,
		enableForeignKeyConstraints: false,
		timeout: 10_000,
	});
	try {
		return use(raw);
	} finally {
		raw.close();
	}
}

export function tablesOf(raw: DatabaseSync): string[] {
	return raw
		.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
		.all()
		.map(({ name }) => name as string);
}

export function columnsOf(raw: DatabaseSync, table: string): string[] {
	return raw
		.prepare(`SELECT name FROM pragma_table_info('${table}')`)
		.all()
		.map(({ name }) => name as string);
}

/** Columns that hold a seq under which a record was written. The catalog's `ingestion` row stays: it tells of the failure. */
const SEQ_COLUMNS = new Set(["added_at", "removed_at", "seq"]);
const TELL_OF_IT = new Set([
	"sqlite_sequence",
	"ingestion",
	"closed_seq",
	"closed_below",
	"closed_below_except",
	"snapshot",
]);

/** Every row of any store that was added or retired at a seq, and what the archive keeps while it runs. Empty after a discard. */
export function tracesOf(home: string, seq: number): { place: string; row: Record<string, unknown> }[] {
	const traces: { place: string; row: Record<string, unknown> }[] = [];
	for (const file of DATABASES) {
		withRawDatabase(home, file, (raw) => {
			for (const table of tablesOf(raw).filter((name) => !TELL_OF_IT.has(name))) {
				for (const column of columnsOf(raw, table).filter((name) => SEQ_COLUMNS.has(name))) {
					const rows = raw.prepare(`SELECT * FROM ${table} WHERE ${column} = ?`).all(seq as SQLInputValue);
					traces.push(...rows.map((row) => ({ place: `${file} ${table}.${column}`, row: { ...row } })));
				}
			}
		});
	}
	for (const name of entriesOf(join(home, "artifacts", "derived", "ingestions", String(seq))))
		traces.push({ place: `archive ingestions/${seq}/${name}`, row: {} });
	return traces;
}

function entriesOf(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
}
