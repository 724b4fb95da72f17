import { DatabaseSync } from "node:sqlite";
import type { StoreProblem } from "../versioned.port.js";
import type { Migration, SqliteDatabase } from "./sqlite-database.js";

const SCHEMA = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name";

/** Tables and indices that are not those that the migrations make: SQLite's own check takes any schema that it can read. */
export function schemaProblems(database: SqliteDatabase, migrations: readonly Migration[]): StoreProblem[] {
	interface Row {
		readonly type: string;
		readonly name: string;
		readonly sql: string | null;
	}
	const fresh = new DatabaseSync(":memory:");
	try {
		for (const { sql } of migrations) fresh.exec(sql);
		const expected = new Map((fresh.prepare(SCHEMA).all() as unknown as Row[]).map((row) => [row.name, row]));
		const problems: StoreProblem[] = [];
		const add = (name: string, problem: string) =>
			problems.push({ record: `${database.role} database, schema of ${name}`, problem });
		for (const { type, name, sql } of database.prepare(SCHEMA).all<Row>()) {
			const known = expected.get(name);
			expected.delete(name);
			if (known?.type !== type) add(name, "is none of Lode's");
			else if (known.sql !== sql) add(name, "was changed");
		}
		for (const name of expected.keys()) add(name, "is missing");
		return problems;
	} finally {
		fresh.close();
	}
}
