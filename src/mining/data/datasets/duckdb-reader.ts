import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { LodeError } from "../../../domain/errors.js";

/**
 * DuckDB over one file of a stranger: locked into a private folder, without network, extensions or spilling, with bounds on
 * memory and time. One instance a thread, started with the first file, because starting costs more than reading.
 */

const SETTINGS = {
	threads: "1",
	memory_limit: "256MB",
	temp_directory: "",
	autoinstall_known_extensions: "false",
	autoload_known_extensions: "false",
	allow_community_extensions: "false",
} as const;
const TIMEOUT_MS = 10_000;

export class DuckDbTimeout extends Error {}
/** DuckDB cannot read the file: the message is DuckDB's, with `file` in place of the local path. */
export class DuckDbRefusal extends Error {}

/** Runs a query over the file; `$FILE` in it stands for the file's path as a literal. Rows hold JSON values. */
export type FileQuery = (sql: string) => Promise<Record<string, unknown>[]>;

interface Engine {
	readonly connection: DuckDBConnection;
	/**
	 * The only folder that DuckDB may read. It exists while a file is read: a thread that is terminated gets no chance to tidy up
	 * behind itself.
	 */
	readonly folder: string;
}

let engine: Promise<Engine> | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Writes the bytes to the private file and asks `questions` of it; one file at a time, so that memory stays bounded.
 * @throws DuckDbTimeout when all questions together take longer than 10 s, DuckDbRefusal, and LodeError where this machine
 * is at fault: that says nothing of the file and must not be recorded with it
 */
export function withDuckDbFile<T>(bytes: Uint8Array, questions: (query: FileQuery) => Promise<T>): Promise<T> {
	const turn = queue.then(() => readFile(bytes, questions));
	queue = turn.catch(() => undefined);
	return turn;
}

async function readFile<T>(bytes: Uint8Array, questions: (query: FileQuery) => Promise<T>): Promise<T> {
	const { connection, folder } = await startedEngine();
	const path = await provide(folder, bytes);
	let late = false;
	const timer = setTimeout(() => {
		late = true;
		connection.interrupt();
	}, TIMEOUT_MS);
	try {
		return await questions(async (sql) => {
			// Between two queries there is nothing to interrupt.
			if (late) throw new DuckDbTimeout();
			try {
				const reader = await connection.runAndReadAll(sql.replaceAll("$FILE", () => literal(path)));
				return reader.getRowObjectsJson() as Record<string, unknown>[];
			} catch (error) {
				throw late ? new DuckDbTimeout() : refusal(error, path);
			}
		});
	} finally {
		clearTimeout(timer);
		await rm(folder, { recursive: true, force: true, maxRetries: 3 });
	}
}

async function startedEngine(): Promise<Engine> {
	engine ??= start();
	try {
		return await engine;
	} catch (error) {
		engine = undefined;
		throw new LodeError("INTERNAL", "DuckDB does not start, so that data files cannot be read", {
			next: "Run npm ci again: the native library of @duckdb/node-api may be missing.",
			cause: error,
		});
	}
}

async function provide(folder: string, bytes: Uint8Array): Promise<string> {
	try {
		// Not recursive: a folder of this name that is there already is not ours.
		await mkdir(folder, { mode: 0o700 });
		const path = join(folder, "file");
		await writeFile(path, bytes, { mode: 0o600 });
		return path;
	} catch (error) {
		const isFull = (error as NodeJS.ErrnoException).code === "ENOSPC";
		throw new LodeError(isFull ? "DISK_FULL" : "INTERNAL", "a data file cannot be copied to the temporary folder", {
			next: "Make room in the system's temporary folder, or set TMPDIR to another one.",
			cause: error,
		});
	}
}

function refusal(error: unknown, path: string): DuckDbRefusal {
	const message = error instanceof Error ? error.message : String(error);
	// After these DuckDB answers nothing any more: the next file gets a new instance.
	if (/^(?:FATAL|INTERNAL) Error/i.test(message)) engine = undefined;
	return new DuckDbRefusal(message.replaceAll(path, "file").replaceAll(literal(path).slice(1, -1), "file"));
}

async function start(): Promise<Engine> {
	// The native library is tens of megabytes: loaded by the first data file only.
	const { DuckDBInstance } = await import("@duckdb/node-api");
	const instance = await DuckDBInstance.create(":memory:", SETTINGS);
	const connection = await instance.connect();
	const folder = join(tmpdir(), `lode-duckdb-${randomUUID()}`);
	await connection.run(`SET allowed_directories = [${literal(folder)}]`);
	// What a moment reads as must not depend on the machine.
	await connection.run("SET TimeZone = 'UTC'").catch(() => undefined);
	await connection.run("SET enable_external_access = false");
	await connection.run("SET lock_configuration = true");
	return { connection, folder };
}

export function literal(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}
