import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, errorCode, LodeError } from "../../domain/errors.js";

/** Which database an error is about: `role` is what people call it ("catalog", "knowledge graph"). */
export interface DatabaseName {
	readonly role: string;
	readonly path: string;
}

// Primary result codes and the extended ones that say more: https://sqlite.org/rescode.html
const PERM = 3;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const AUTH = 23;
const NOTADB = 26;
/** A file that ended early, or a file system that reports damaged data. */
const IOERR_DAMAGED = new Set([522, 8202, 8458]);
/** Failed writes, syncs and growths: nearly always a full disk or quota. */
const IOERR_WRITES = new Set([778, 1034, 1290, 1546, 4874]);

const FREE_SPACE = "Free some disk space, then repeat the command.";

/** Whether another connection held the lock for longer than the busy time-out. */
export function isBusy(error: unknown): boolean {
	const primary = sqliteCode(error) & 0xff;
	return primary === BUSY || primary === LOCKED;
}

function sqliteCode(error: unknown): number {
	if (typeof error !== "object" || error === null) return 0;
	const { code, errcode } = error as { code?: unknown; errcode?: unknown };
	return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode : 0;
}

/**
 * Maps what node:sqlite or the file system threw to a `LodeError`; one that is a `LodeError` already passes through.
 * Never names bound values: SQLite's own messages hold table and column names only.
 */
export function storeError(error: unknown, database: DatabaseName, operation: string): LodeError {
	if (errorCode(error) !== undefined) return error as LodeError;
	const thing = `${operation} the ${database.role} database (${database.path})`;
	const make = (code: ErrorCode, why: string, next?: string) =>
		new LodeError(code, `Cannot ${thing}: ${why}`, { next, cause: error });

	const system = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
	if (system === "ENOSPC" || system === "EDQUOT") return make("DISK_FULL", "the disk is full", FREE_SPACE);
	if (system === "EACCES" || system === "EPERM" || system === "EROFS") return denied(make);

	const extended = sqliteCode(error);
	switch (extended & 0xff) {
		case FULL:
			return make("DISK_FULL", "the disk is full", FREE_SPACE);
		case IOERR:
			if (IOERR_DAMAGED.has(extended)) return damaged(make, database);
			if (IOERR_WRITES.has(extended)) return make("DISK_FULL", "the disk refused a write", FREE_SPACE);
			return make("STORE_UNAVAILABLE", `the disk failed (SQLite code ${extended})`, "Check the disk, then repeat.");
		case BUSY:
		case LOCKED:
			return make("STORE_UNAVAILABLE", "another process keeps it locked", "Repeat when the other process is done.");
		case CORRUPT:
		case NOTADB:
			return damaged(make, database);
		case PERM:
		case AUTH:
		case READONLY:
			return denied(make);
		case CANTOPEN:
			return writable(database.path)
				? make("STORE_UNAVAILABLE", "the file cannot be opened", "Check that its folder exists and is on a local disk.")
				: denied(make);
		default:
			return make("INTERNAL", error instanceof Error ? error.message : "unknown failure");
	}
}

type Make = (code: ErrorCode, why: string, next?: string) => LodeError;

const denied = (make: Make) =>
	make("PERMISSION_DENIED", "no permission to write there", "Give this user write access to the file and its folder.");

const damaged = (make: Make, database: DatabaseName) =>
	make(
		"STORE_CORRUPT",
		"the file is damaged or not a database",
		`Restore it from a backup, or move it away and ingest again (${database.role}).`,
	);

function writable(path: string): boolean {
	try {
		accessSync(dirname(path), constants.W_OK);
	} catch (error) {
		const { code } = error as { code?: unknown };
		return code === "ENOENT";
	}
	try {
		accessSync(path, constants.R_OK | constants.W_OK);
		return true;
	} catch (error) {
		return (error as { code?: unknown }).code === "ENOENT";
	}
}
