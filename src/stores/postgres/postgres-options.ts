import { readFileSync } from "node:fs";
import type { PoolConfig } from "pg";
import { LodeError } from "../../domain/errors.js";

export interface PostgresOptions {
	/** `postgres://user@host:port/database`, with `sslmode` (disable, require, verify-full) where wanted; never with a password. */
	readonly url: string;
	readonly password?: { reveal(): string };
	/** Names the schema: installations share a database without meeting. */
	readonly installation: string;
	/** Connections at most; default 10. */
	readonly poolSize?: number;
	/** PEM file of the server's CA; implies `sslmode=verify-full`. */
	readonly caFile?: string;
}

/** Below the time that an activity may take for a step (20 s), so that it fails by name and not by time-out. Milliseconds. */
const CONNECT_MS = 5_000;
const LOCK_MS = 10_000;
/** Removing a source deletes all its entries in one statement. */
const STATEMENT_MS = 300_000;
/** A process that was stopped in the middle must not keep everybody else waiting for its locks. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** A count comes as a 64-bit number, which pg gives as text by default. Ours stay below 2^53. */
const INT8 = 20;

export const schemaName = (installation: string): string =>
	installation === "lode" ? "lode" : `lode_${installation.replaceAll("-", "_")}`;

/** host:port/database, for messages. */
export function describePostgres({ url }: Pick<PostgresOptions, "url">): string {
	const { hostname, port, pathname } = new URL(url);
	return `${hostname}:${port || 5432}${pathname}`;
}

function ssl({ url, caFile }: PostgresOptions): PoolConfig["ssl"] {
	const mode = new URL(url).searchParams.get("sslmode") ?? (caFile === undefined ? "disable" : "verify-full");
	if (mode === "disable" || mode === "allow" || mode === "prefer") return false;
	if (mode === "require" && caFile === undefined) return { rejectUnauthorized: false };
	if (caFile === undefined) return { rejectUnauthorized: true };
	try {
		return { ca: readFileSync(caFile, "utf8"), rejectUnauthorized: true };
	} catch (error) {
		throw new LodeError("CONFIG_INVALID", `reading ${caFile} failed: ${(error as NodeJS.ErrnoException).code}`, {
			next: "Correct LODE_POSTGRES_CA_FILE.",
			cause: error,
		});
	}
}

/** @throws CONFIG_INVALID */
export async function poolConfig(options: PostgresOptions): Promise<PoolConfig> {
	const { default: pg } = await import("pg");
	const url = new URL(options.url);
	return {
		host: decodeURIComponent(url.hostname).replace(/^\[|\]$/g, ""),
		port: Number(url.port || 5432),
		database: decodeURIComponent(url.pathname.slice(1)),
		user: decodeURIComponent(url.username) || undefined,
		password: options.password?.reveal() ?? "",
		ssl: ssl(options),
		max: options.poolSize ?? 10,
		connectionTimeoutMillis: CONNECT_MS,
		idleTimeoutMillis: 30_000,
		keepAlive: true,
		application_name: "lode",
		statement_timeout: STATEMENT_MS,
		query_timeout: STATEMENT_MS + 10_000,
		lock_timeout: LOCK_MS,
		idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
		options: `-c search_path=${schemaName(options.installation)}`,
		types: {
			getTypeParser: (oid: number, format?: "text" | "binary") =>
				oid === INT8 ? Number : pg.types.getTypeParser(oid, format as "text"),
		} as PoolConfig["types"],
	};
}
