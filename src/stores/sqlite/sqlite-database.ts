import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { LodeError } from "../../domain/errors.js";
import { type DatabaseName, isBusy, storeError } from "./sqlite-errors.js";

/** One step of a schema. `sql` may hold several statements; it runs once, in a transaction. */
export interface Migration {
	/** 1, 2, 3 … without gaps. */
	readonly version: number;
	readonly name: string;
	readonly sql: string;
}

export interface OpenOptions {
	/** A file, whose folder is created where it is missing, or `:memory:`. */
	readonly path: string;
	/** What people call it in messages, e.g. `catalog`. */
	readonly role: string;
	/** FULL: a commit is on disk when it returns. NORMAL: the last commits may be lost by a power cut, never torn. */
	readonly synchronous: "FULL" | "NORMAL";
	/** Lets `raw.loadExtension` work until it is switched off by `raw.enableLoadExtension(false)`. */
	readonly allowExtension?: boolean;
	/** Called on the fresh connection before migrations run, e.g. to load an extension that they need. */
	readonly prepareConnection?: (raw: DatabaseSync) => void;
	/** False where memory counts for more than reads of large parts: SQLite then reads pages into its own cache. Default true. */
	readonly mapped?: boolean;
	/** Memory for pages, MiB. Default 32, and 16 where the file is not mapped. */
	readonly cacheMb?: number;
	readonly migrations: readonly Migration[];
}

const MAPPED_BYTES = 256 * 1024 * 1024;
/** 32 MB: an ingestion writes the same pages of its indexes again and again; a checkpoint writes each of them once. */
const CHECKPOINT_PAGES = 8_000;

/** Positional values, or one object of named ones (`:name` in the statement; every name must occur there). */
export type Parameters = readonly SQLInputValue[] | Readonly<Record<string, SQLInputValue>>;

/** The wait blocks the process: it stays well below the heartbeat time-out of an activity (8 s). */
const BUSY_TIMEOUT_MS = 5_000;
/** Statement texts are constants of the code but for a few variants each; the bound is against mistakes. */
const MAX_STATEMENTS = 512;
/** Texts beyond this are multi-row inserts and long lists of values. They hold what was bound to them last, so few are kept. */
const LONG_TEXT = 2_000;
const MAX_LONG = 48;

/**
 * A prepared statement whose failures are `LodeError`s. It is shared by all callers of the same text: read an `iterate` to
 * its end, or leave its loop, before the same text runs again.
 */
export class Statement {
	readonly #statement: StatementSync;
	readonly #database: DatabaseName;
	/** Whether it returns rows. */
	readonly reader: boolean;

	constructor(statement: StatementSync, database: DatabaseName) {
		this.#statement = statement;
		this.#database = database;
		this.reader = statement.columns().length > 0;
	}

	all<Row>(parameters: Parameters = []): Row[] {
		try {
			return (isList(parameters)
				? this.#statement.all(...parameters)
				: this.#statement.all(parameters)) as unknown as Row[];
		} catch (error) {
			throw storeError(error, this.#database, "read");
		}
	}

	get<Row>(parameters: Parameters = []): Row | undefined {
		try {
			return (isList(parameters) ? this.#statement.get(...parameters) : this.#statement.get(parameters)) as unknown as
				| Row
				| undefined;
		} catch (error) {
			throw storeError(error, this.#database, "read");
		}
	}

	/** Returns how many rows changed, and the last row id that was given. */
	run(parameters: Parameters = []): { changes: number; lastInsertRowid: number } {
		try {
			const result = isList(parameters) ? this.#statement.run(...parameters) : this.#statement.run(parameters);
			return { changes: Number(result.changes), lastInsertRowid: Number(result.lastInsertRowid) };
		} catch (error) {
			throw storeError(error, this.#database, "write");
		}
	}

	*iterate<Row>(parameters: Parameters = []): Generator<Row, void, void> {
		try {
			const rows = isList(parameters) ? this.#statement.iterate(...parameters) : this.#statement.iterate(parameters);
			for (const row of rows) yield row as unknown as Row;
		} catch (error) {
			throw storeError(error, this.#database, "read");
		}
	}
}

function isList(parameters: Parameters): parameters is readonly SQLInputValue[] {
	return Array.isArray(parameters);
}

/**
 * One connection to one SQLite file. Several processes may have the same file open (worker, CLI, API): write-ahead log, and
 * writers wait for each other. Everything is synchronous, so nothing of this process comes between the statements of a transaction.
 */
export class SqliteDatabase implements DatabaseName {
	readonly role: string;
	readonly path: string;
	/** For extensions and SQL functions only; its failures are not mapped. */
	readonly raw: DatabaseSync;
	readonly #statements = new Map<string, Statement>();
	readonly #long = new Map<string, Statement>();
	readonly #mayMap: boolean;
	#isMapped: boolean;
	#mode: "none" | "read" | "write" = "none";

	constructor(raw: DatabaseSync, name: DatabaseName, mapped = false) {
		this.raw = raw;
		this.role = name.role;
		this.path = name.path;
		this.#mayMap = mapped;
		this.#isMapped = mapped;
	}

	/** Whether reads go through the file's mapping, where it was opened with one. SQLite drops all of it with each change by another connection. */
	map(isMapped: boolean): void {
		if (!this.#mayMap || isMapped === this.#isMapped) return;
		this.exec(`PRAGMA mmap_size = ${isMapped ? MAPPED_BYTES : 0}`);
		this.#isMapped = isMapped;
	}

	/**
	 * The prepared statement of this text, from a cache. `once` is for texts that hardly come again: what SQLite keeps of one is freed only when the
	 * collector comes round to it, which does not know how much that is.
	 */
	prepare(sql: string, use: "again" | "once" = "again"): Statement {
		const cache = sql.length > LONG_TEXT ? this.#long : this.#statements;
		const cached = cache.get(sql);
		if (cached) {
			if (cache === this.#long) {
				// Used last, dropped last.
				cache.delete(sql);
				cache.set(sql, cached);
			}
			return cached;
		}
		try {
			const statement = new Statement(this.raw.prepare(sql), this);
			if (use === "again") this.#keep(cache, sql, statement);
			return statement;
		} catch (error) {
			throw storeError(error, this, "prepare a statement on");
		}
	}

	#keep(cache: Map<string, Statement>, sql: string, statement: Statement): void {
		if (cache === this.#statements && cache.size >= MAX_STATEMENTS) cache.clear();
		cache.set(sql, statement);
		const oldest = cache.keys().next().value;
		if (cache === this.#long && cache.size > MAX_LONG && oldest !== undefined) cache.delete(oldest);
	}

	/** Runs statements without parameters and without results. */
	exec(sql: string): void {
		try {
			this.raw.exec(sql);
		} catch (error) {
			throw storeError(error, this, "write");
		}
	}

	/**
	 * Runs `fn` as one write: all of it, or nothing where it throws. Takes the write lock at once, waiting for other
	 * processes. A call within another one joins it. `fn` must be synchronous.
	 */
	transaction<T>(fn: () => T): T {
		if (this.#mode === "write") return fn();
		if (this.#mode === "read") {
			// A reader that turns writer can only fail when another one wrote meanwhile; waiting would not help it.
			throw new LodeError("INTERNAL", `A read of the ${this.role} database cannot become a write`);
		}
		return this.#within("write", "BEGIN IMMEDIATE", fn);
	}

	/** Runs `fn` so that all its selects see one state of the file. Joins a transaction that is already there. */
	read<T>(fn: () => T): T {
		return this.#mode === "none" ? this.#within("read", "BEGIN", fn) : fn();
	}

	#within<T>(mode: "read" | "write", begin: string, fn: () => T): T {
		this.exec(begin);
		this.#mode = mode;
		try {
			const result = fn();
			if (result instanceof Promise) {
				throw new LodeError("INTERNAL", `A transaction of the ${this.role} database must be synchronous`);
			}
			this.exec("COMMIT");
			return result;
		} catch (error) {
			// SQLite ends the transaction by itself on a full disk or a failed write.
			if (this.raw.isTransaction) this.raw.exec("ROLLBACK");
			throw error;
		} finally {
			this.#mode = "none";
		}
	}

	/** Safe to call twice. */
	close(): void {
		if (!this.raw.isOpen) return;
		this.#statements.clear();
		this.#long.clear();
		try {
			this.raw.exec("PRAGMA optimize");
		} catch {
			// Statistics only: a busy or read-only file is no reason to fail a close.
		}
		this.raw.close();
	}
}

/**
 * Opens the file, brings its schema up to date and sets what every connection needs.
 * @throws PERMISSION_DENIED, DISK_FULL, STORE_CORRUPT, STORE_UNAVAILABLE (also where a newer Lode wrote the file)
 */
export function openDatabase(options: OpenOptions): SqliteDatabase {
	const { path, role, synchronous, mapped = true, migrations } = options;
	let raw: DatabaseSync | undefined;
	try {
		if (path !== ":memory:") {
			mkdirSync(dirname(path), { recursive: true });
			// What SQLite has to put aside lies where there is room for a database. Read once, with the first connection of a process.
			process.env.SQLITE_TMPDIR ??= dirname(path);
		}
		raw = new DatabaseSync(path, {
			timeout: BUSY_TIMEOUT_MS,
			allowExtension: options.allowExtension ?? false,
			enableForeignKeyConstraints: true,
			enableDoubleQuotedStringLiterals: false,
		});
		useWriteAheadLog(raw);
		// Temporary tables, sorts and lists of what is distinct follow the repository: beyond a few megabytes they go to a file without a name.
		raw.exec(`
			PRAGMA synchronous = ${synchronous};
			PRAGMA temp_store = FILE;
			PRAGMA cache_size = ${-1024 * (options.cacheMb ?? (mapped ? 32 : 16))};
			PRAGMA mmap_size = ${mapped ? MAPPED_BYTES : 0};
			PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
			PRAGMA journal_size_limit = 67108864;
		`);
		// macOS answers fsync before the disk has the bytes unless asked otherwise; elsewhere this does nothing.
		if (synchronous === "FULL") raw.exec("PRAGMA fullfsync = ON");
		options.prepareConnection?.(raw);
		const database = new SqliteDatabase(raw, { role, path }, mapped);
		migrate(database, migrations);
		return database;
	} catch (error) {
		if (raw?.isOpen) raw.close();
		throw storeError(error, { role, path }, "open");
	}
}

/** Turning the log on needs the file alone for a moment, and SQLite does not wait for it: several processes may start at once. */
function useWriteAheadLog(raw: DatabaseSync): void {
	const pause = new Int32Array(new SharedArrayBuffer(4));
	for (let attempt = 1; ; attempt++) {
		try {
			raw.exec("PRAGMA journal_mode = WAL");
			return;
		} catch (error) {
			if (!isBusy(error) || attempt === 200) throw error;
			Atomics.wait(pause, 0, 0, 25);
		}
	}
}

function migrate(database: SqliteDatabase, migrations: readonly Migration[]): void {
	const newest = migrations.at(-1)?.version ?? 0;
	const version = () => database.prepare("PRAGMA user_version").get<{ user_version: number }>()?.user_version ?? 0;
	const refuseNewer = (found: number) => {
		if (found <= newest) return;
		throw new LodeError(
			"STORE_UNAVAILABLE",
			`Cannot open the ${database.role} database (${database.path}): a newer Lode wrote it (schema ${found}, this one knows ${newest})`,
			{ next: "Use the newer Lode, or another LODE_HOME." },
		);
	};
	const found = version();
	refuseNewer(found);
	if (found === newest) return;
	database.transaction(() => {
		// Another process may have done it while this one waited for the lock.
		const current = version();
		refuseNewer(current);
		for (const migration of migrations) {
			if (migration.version <= current) continue;
			database.exec(migration.sql);
			database.exec(`PRAGMA user_version = ${migration.version}`);
		}
	});
}
