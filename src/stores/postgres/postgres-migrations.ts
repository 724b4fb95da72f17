import type { PoolClient } from "pg";
import { LodeError } from "../../domain/errors.js";
import { type PostgresOptions, schemaName } from "./postgres-options.js";

/** One step of a component's schema. `sql` may hold several statements; it runs once, in a transaction. */
export interface PostgresMigration {
	/** 1, 2, 3 … without gaps. */
	readonly version: number;
	readonly name: string;
	readonly sql: string;
}

/** A part of Lode that has tables of its own in the installation's schema. */
export interface PostgresComponent {
	readonly name: string;
	readonly migrations: readonly PostgresMigration[];
}

/** What Lode is tried with, and what has all that it uses. */
const OLDEST_SERVER = 130_000;

/** @throws CONFIG_INVALID */
export async function requireServerVersion(client: PoolClient): Promise<string> {
	const { rows } = await client.query<{ number: string; version: string }>(
		"SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version",
	);
	const { number = "0", version = "unknown" } = rows[0] ?? {};
	if (Number(number) >= OLDEST_SERVER) return version;
	throw new LodeError("CONFIG_INVALID", `Postgres ${version} is too old: Lode needs 13 or later`, {
		next: "Upgrade the server of LODE_POSTGRES_URL.",
	});
}

/** The version that a component's tables have; 0 where there are none. */
export async function schemaVersion(client: PoolClient, schema: string, component: string): Promise<number> {
	const { rows } = await client.query("SELECT to_regclass(format('%I.migration', $1::text)) IS NOT NULL AS there", [
		schema,
	]);
	if (rows[0]?.there !== true) return 0;
	const found = await client.query(
		`SELECT coalesce(max(version), 0)::int AS version FROM "${schema}".migration WHERE component = $1`,
		[component],
	);
	return found.rows[0].version as number;
}

/**
 * Brings a component's tables to their newest version. Processes that start at once wait for each other.
 * Returns the versions before and after. @throws CONFIG_INVALID where the tables are of a newer Lode
 */
export async function migrate(
	client: PoolClient,
	options: PostgresOptions,
	component: PostgresComponent,
): Promise<{ from: number; to: number }> {
	const schema = schemaName(options.installation);
	const wanted = component.migrations.at(-1)?.version ?? 0;
	const before = await schemaVersion(client, schema, component.name);
	if (before === wanted) return { from: before, to: wanted };
	await client.query("BEGIN");
	try {
		await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`lode migration ${schema}`]);
		await createSchema(client, schema);
		const from = await schemaVersion(client, schema, component.name);
		if (from > wanted) {
			throw new LodeError(
				"CONFIG_INVALID",
				`the tables of ${component.name} in schema ${schema} have version ${from}, and this Lode knows ${wanted}`,
				{ next: "Run the Lode that made them, or a later one." },
			);
		}
		for (const { version, name, sql } of component.migrations) {
			if (version <= from) continue;
			await client.query(sql);
			await client.query("INSERT INTO migration (component, version, name) VALUES ($1, $2, $3)", [
				component.name,
				version,
				name,
			]);
		}
		await client.query("COMMIT");
		return { from, to: wanted };
	} catch (error) {
		await client.query("ROLLBACK").catch(() => undefined);
		throw error;
	}
}

async function createSchema(client: PoolClient, schema: string): Promise<void> {
	const { rows } = await client.query("SELECT to_regnamespace(quote_ident($1)) IS NOT NULL AS there", [schema]);
	// Creating one needs a permission on the database, even where it is there.
	if (rows[0]?.there !== true) await client.query(`CREATE SCHEMA "${schema}"`);
	await client.query(`
		CREATE TABLE IF NOT EXISTS migration (
			component text NOT NULL,
			version int NOT NULL,
			name text NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now(),
			PRIMARY KEY (component, version)
		)`);
}
