import type { SQLInputValue } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import {
	type CompiledQuery,
	type DatabaseConnection,
	type DatabaseIntrospector,
	type Dialect,
	type DialectAdapter,
	type Driver,
	Kysely,
	type QueryCompiler,
	type QueryResult,
	SqliteAdapter,
	SqliteIntrospector,
	SqliteQueryCompiler,
	type TransactionSettings,
} from "kysely";
import type { SqliteDatabase } from "./sqlite-database.js";
import { isBusy, storeError } from "./sqlite-errors.js";

/** Waits of 1, 2, 4 … 32 ms: together about 10 s. They leave the event loop free, unlike the busy time-out of synchronous writes. */
const MAX_WAITS = 320;
/**
 * Kysely over a database that `openDatabase` opened; that one is closed by its owner, not by `destroy`. Kysely holds its lock on the
 * single connection for the whole of a transaction, so other calls of this process cannot slip into it. A transaction with
 * access mode `read only` sees one state of the file and takes no lock; any other takes the write lock at its beginning.
 */
export function createKysely<Tables>(database: SqliteDatabase): Kysely<Tables> {
	return new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) });
}

class NodeSqliteDialect implements Dialect {
	readonly #database: SqliteDatabase;

	constructor(database: SqliteDatabase) {
		this.#database = database;
	}

	createDriver(): Driver {
		return new NodeSqliteDriver(this.#database);
	}

	createQueryCompiler(): QueryCompiler {
		return new SqliteQueryCompiler();
	}

	createAdapter(): DialectAdapter {
		return new SqliteAdapter();
	}

	createIntrospector(kysely: Kysely<unknown>): DatabaseIntrospector {
		return new SqliteIntrospector(kysely);
	}
}

class NodeSqliteDriver implements Driver {
	readonly #database: SqliteDatabase;
	readonly #connection: DatabaseConnection;

	constructor(database: SqliteDatabase) {
		this.#database = database;
		this.#connection = new NodeSqliteConnection(database);
	}

	async init(): Promise<void> {}

	async acquireConnection(): Promise<DatabaseConnection> {
		return this.#connection;
	}

	async beginTransaction(_connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
		if (settings.accessMode === "read only") {
			this.#database.exec("BEGIN");
			return;
		}
		for (let waits = 0; !this.#tryBegin(waits === MAX_WAITS); waits++) await pause(Math.min(2 ** waits, 32));
	}

	/**
	 * Waits in the event loop and not in SQLite: where two connections of one process write the same file, a blocked thread
	 * could never finish the other one's transaction.
	 */
	#tryBegin(last: boolean): boolean {
		const { raw } = this.#database;
		const timeout = this.#database.prepare("PRAGMA busy_timeout").get<{ timeout: number }>()?.timeout ?? 0;
		try {
			raw.exec("PRAGMA busy_timeout = 0");
			raw.exec("BEGIN IMMEDIATE");
			return true;
		} catch (error) {
			if (isBusy(error) && !last) return false;
			throw storeError(error, this.#database, "write");
		} finally {
			raw.exec(`PRAGMA busy_timeout = ${timeout}`);
		}
	}

	async commitTransaction(): Promise<void> {
		this.#database.exec("COMMIT");
	}

	async rollbackTransaction(): Promise<void> {
		// SQLite ends the transaction by itself on a full disk or a failed write.
		if (this.#database.raw.isTransaction) this.#database.exec("ROLLBACK");
	}

	async releaseConnection(): Promise<void> {}

	async destroy(): Promise<void> {}
}

class NodeSqliteConnection implements DatabaseConnection {
	readonly #database: SqliteDatabase;

	constructor(database: SqliteDatabase) {
		this.#database = database;
	}

	async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
		const statement = this.#database.prepare(query.sql);
		const parameters = query.parameters as readonly SQLInputValue[];
		if (statement.reader) return { rows: statement.all<Row>(parameters) };
		const { changes, lastInsertRowid } = statement.run(parameters);
		return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
	}

	async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
		const statement = this.#database.prepare(query.sql, "once");
		for (const row of statement.iterate<Row>(query.parameters as readonly SQLInputValue[])) yield { rows: [row] };
	}
}
