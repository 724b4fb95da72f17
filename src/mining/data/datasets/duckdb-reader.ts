import { mkdtempSync, rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";

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

/** Runs a query over the file; `$FILE` in it stands for the file's path as a literal. Rows hold JSON values. */
export type FileQuery = (sql: string) => Promise<Record<string, unknown>[]>;

interface Engine {
	readonly connection: DuckDBConnection;
	readonly folder: string;
}

let engine: Promise<Engine> | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Writes the bytes to the private file and asks `questions` of it; one file at a time, so that memory stays bounded.
 * @throws DuckDbTimeout when all questions together take longer than 10 s; other errors speak of `file` instead of a local path
 */
export function withDuckDbFile<T>(bytes: Uint8Array, questions: (query: FileQuery) => Promise<T>): Promise<T> {
	const turn = queue.then(() => readFile(bytes, questions));
	queue = turn.catch(() => undefined);
	return turn;
}

async function readFile<T>(bytes: Uint8Array, questions: (query: FileQuery) => Promise<T>): Promise<T> {
	engine ??= start();
	const { connection, folder } = await engine.catch((error: unknown) => {
		engine = undefined;
		throw error;
	});
	const path = join(folder, "file");
	let late = false;
	const timer = setTimeout(() => {
		late = true;
		connection.interrupt();
	}, TIMEOUT_MS);
	try {
		await writeFile(path, bytes, { mode: 0o600 });
		return await questions(async (sql) => {
			// Between two queries there is nothing to interrupt.
			if (late) throw new DuckDbTimeout();
			const reader = await connection.runAndReadAll(sql.replaceAll("$FILE", () => literal(path)));
			return reader.getRowObjectsJson() as Record<string, unknown>[];
		});
	} catch (error) {
		if (late) throw new DuckDbTimeout();
		const message = error instanceof Error ? error.message : String(error);
		// After these DuckDB answers nothing any more: the next file gets a new instance.
		if (/^(?:FATAL|INTERNAL) Error/i.test(message)) stop(await engine);
		throw new Error(message.replaceAll(path, "file").replaceAll(literal(path).slice(1, -1), "file"), { cause: error });
	} finally {
		clearTimeout(timer);
		await rm(path, { force: true, maxRetries: 3 });
	}
}

async function start(): Promise<Engine> {
	// The native library is tens of megabytes: loaded by the first data file only.
	const { DuckDBInstance } = await import("@duckdb/node-api");
	const instance = await DuckDBInstance.create(":memory:", SETTINGS);
	const connection = await instance.connect();
	const folder = mkdtempSync(join(tmpdir(), "lode-duckdb-"));
	process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
	await connection.run(`SET allowed_directories = [${literal(folder)}]`);
	await connection.run("SET enable_external_access = false");
	await connection.run("SET lock_configuration = true");
	return { connection, folder };
}

function stop(broken: Engine): void {
	engine = undefined;
	rmSync(broken.folder, { recursive: true, force: true });
}

export function literal(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}
