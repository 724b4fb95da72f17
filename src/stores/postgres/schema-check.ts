import { randomBytes } from "node:crypto";
import type { PoolClient } from "pg";
import type { StoreProblem } from "../versioned.port.js";
import type { PostgresDatabase } from "./postgres-database.js";
import type { PostgresComponent } from "./postgres-migrations.js";

/** Everything of a schema that decides what its tables may hold and how they compare: a line each, with the schema's name taken out. */
const SCHEMA = `
	SELECT c.relname || '.' || a.attname AS name,
		concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname, pg_get_expr(d.adbin, d.adrelid)) AS text
	FROM pg_attribute a
	JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = $1::regnamespace
	LEFT JOIN pg_collation l ON l.oid = a.attcollation
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT 'index ' || indexname, replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = $2
	UNION ALL
	SELECT 'constraint ' || conname, replace(pg_get_constraintdef(oid) || ' ' || convalidated, $2 || '.', '')
	FROM pg_constraint WHERE connamespace = $1::regnamespace
	UNION ALL
	SELECT 'trigger ' || tgname, tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = $1::regnamespace AND NOT tgisinternal`;

async function linesOf(client: PoolClient, schema: string): Promise<Map<string, string>> {
	const { rows } = await client.query<{ name: string; text: string }>(SCHEMA, [`"${schema}"`, schema]);
	return new Map(rows.map(({ name, text }) => [name, text]));
}

/**
 * Tables, indices and constraints of a component that are not those that its migrations make, told by making them once more in a schema
 * that is rolled back. Where the user may create no schema, nothing is compared.
 */
export async function schemaProblems(
	database: PostgresDatabase,
	component: PostgresComponent,
): Promise<StoreProblem[]> {
	await database.ready(component);
	return database.run(async (client) => {
		const there = await linesOf(client, database.schema);
		const fresh = `lode_check_${randomBytes(6).toString("hex")}`;
		await client.query("BEGIN");
		try {
			await client.query(`CREATE SCHEMA "${fresh}"`);
			await client.query(`SET LOCAL search_path = "${fresh}"`);
			for (const { sql } of component.migrations) await client.query(sql);
			const wanted = await linesOf(client, fresh);
			const tables = new Set([...wanted.keys()].map((name) => name.split(".")[0]));
			const problems: StoreProblem[] = [];
			const add = (name: string, problem: string) =>
				problems.push({ record: `schema ${database.schema}, ${name}`, problem });
			for (const [name, text] of wanted) {
				if (!there.has(name)) add(name, "is missing");
				else if (there.get(name) !== text) add(name, "was changed");
			}
			for (const name of there.keys()) {
				const table = name.split(".")[0] as string;
				if (!wanted.has(name) && (name.startsWith("trigger ") || tables.has(table))) add(name, "is none of Lode's");
			}
			return problems;
		} catch (error) {
			if ((error as { code?: unknown }).code === "42501") return [];
			throw error;
		} finally {
			await client.query("ROLLBACK");
		}
	});
}
