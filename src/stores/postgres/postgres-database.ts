import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import type { Pool, PoolClient } from "pg";
import { LodeError } from "../../domain/errors.js";
import { postgresError } from "./postgres-errors.js";
import { migrate, type PostgresComponent, requireServerVersion, schemaVersion } from "./postgres-migrations.js";
import { type PostgresOptions, poolConfig, schemaName } from "./postgres-options.js";

export interface PostgresProbe {
	readonly version: string;
	readonly schema: string;
	readonly components: readonly { readonly name: string; readonly current: number; readonly wanted: number }[];
	/** Whether the user may create what is missing, or write what is there. */
	readonly writable: boolean;
}

/**
 * One pool of connections to the installation's schema, shared by all that keep tables there. Nothing is connected before the first
 * query; a server that goes away and comes back is found again by the next one. Failures are `LodeError`s.
 */
export class PostgresDatabase {
	readonly schema: string;
	readonly #options: PostgresOptions;
	#pool: Promise<Pool> | undefined;
	#closed = false;
	readonly #ready = new Map<string, Promise<unknown>>();

	constructor(options: PostgresOptions) {
		this.#options = options;
		this.schema = schemaName(options.installation);
	}

	/** Queries over a component's tables, which are created or upgraded before the first of them. */
	use<Tables>(component: PostgresComponent): Kysely<Tables> {
		const pool: PostgresPool = {
			connect: async () => {
				await this.ready(component);
				return this.#guarded(await this.#connect());
			},
			// The pool is closed by its owner, not by one of those who use it.
			end: async () => undefined,
			options: {},
		};
		return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
	}

	/** Creates or upgrades a component's tables now. @throws PERMISSION_DENIED, CONFIG_INVALID, STORE_UNAVAILABLE */
	migrate(component: PostgresComponent): Promise<{ from: number; to: number }> {
		return this.#with(async (client) => {
			await requireServerVersion(client);
			return migrate(client, this.#options, component);
		});
	}

	/** What is there, with nothing changed. @throws PERMISSION_DENIED, CONFIG_INVALID, STORE_UNAVAILABLE */
	probe(components: readonly PostgresComponent[]): Promise<PostgresProbe> {
		return this.#with(async (client) => {
			const version = await requireServerVersion(client);
			const found: PostgresProbe["components"][number][] = [];
			for (const { name, migrations } of components) {
				const current = await schemaVersion(client, this.schema, name);
				found.push({ name, current, wanted: migrations.at(-1)?.version ?? 0 });
			}
			const { rows } = await client.query(
				`SELECT CASE WHEN to_regnamespace(quote_ident($1)) IS NULL
					THEN has_database_privilege(current_database(), 'CREATE')
					ELSE has_schema_privilege($1, 'CREATE') AND has_schema_privilege($1, 'USAGE') END AS writable`,
				[this.schema],
			);
			return { version, schema: this.schema, components: found, writable: rows[0]?.writable === true };
		});
	}

	/** Deletes all that the installation has in the database. */
	dropSchema(): Promise<void> {
		return this.#with(async (client) => {
			await client.query(`DROP SCHEMA IF EXISTS "${this.schema}" CASCADE`);
		});
	}

	/** This process's, now: none before the first query. `waiting`: queries for which there is none. */
	async connections(): Promise<{ readonly busy: number; readonly idle: number; readonly waiting: number }> {
		const pool = await this.#pool?.catch(() => undefined);
		const { totalCount = 0, idleCount: idle = 0, waitingCount: waiting = 0 } = pool ?? {};
		return { busy: totalCount - idle, idle, waiting };
	}

	/** What the installation's tables take, their indexes included. Bytes. */
	size(): Promise<number> {
		return this.#with(async (client) => {
			const { rows } = await client.query(
				`SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS bytes FROM pg_class c
					JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'm')`,
				[this.schema],
			);
			return Number(rows[0]?.bytes ?? 0);
		});
	}

	/** Runs on one connection, for what Kysely has no words for. */
	run<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
		return this.#with(work);
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await (await this.#pool?.catch(() => undefined))?.end();
	}

	async #with<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
		const client = await this.#connect();
		let failure: unknown;
		try {
			return await work(client);
		} catch (error) {
			failure = error;
			throw postgresError(error, this.#options);
		} finally {
			client.release(failure instanceof Error && isBroken(failure) ? failure : undefined);
		}
	}

	async #connect(): Promise<PoolClient> {
		if (this.#closed) throw new LodeError("STORE_UNAVAILABLE", "the connection to Postgres is closed");
		this.#pool ??= this.#openPool();
		try {
			return await (await this.#pool).connect();
		} catch (error) {
			throw postgresError(error, this.#options);
		}
	}

	async #openPool(): Promise<Pool> {
		const [{ default: pg }, config] = await Promise.all([import("pg"), poolConfig(this.#options)]);
		const pool = new pg.Pool(config);
		// A connection that lay idle when the server went away: the next query gets another one.
		pool.on("error", () => undefined);
		return pool;
	}

	/** Makes sure once that a component's tables are there. */
	ready(component: PostgresComponent): Promise<unknown> {
		let ready = this.#ready.get(component.name);
		if (ready === undefined) {
			ready = this.migrate(component);
			this.#ready.set(component.name, ready);
			// What failed is tried again by the next query: the server may just have been away.
			ready.catch(() => this.#ready.delete(component.name));
		}
		return ready;
	}

	#guarded(client: PoolClient): PostgresPoolClient {
		let broken: Error | undefined;
		const guard = async <T>(query: () => Promise<T>): Promise<T> => {
			try {
				return await query();
			} catch (error) {
				if (error instanceof Error && isBroken(error)) broken = error;
				throw postgresError(error, this.#options);
			}
		};
		return {
			query: ((text: string, values: unknown[]) =>
				guard(() => client.query(text, values))) as unknown as PostgresPoolClient["query"],
			release: () => client.release(broken),
		} as PostgresPoolClient;
	}
}

/** Whether the connection is of no more use: the server has no complaint about the statement then. */
function isBroken(error: Error): boolean {
	const { code, severity } = error as { code?: unknown; severity?: unknown };
	return severity === undefined || severity === "FATAL" || (typeof code === "string" && /^(08|57P)/.test(code));
}
