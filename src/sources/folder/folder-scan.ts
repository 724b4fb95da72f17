import type { BigIntStats, Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { LodeError } from "../../domain/errors.js";
import { encodePath } from "../path-name.js";
import { type NativePath, nativePath, posixBytes } from "./native-path.js";

/** A file that a scan met: its relative path in bytes, and its state without following links. */
export interface ScannedFile {
	readonly path: Buffer;
	readonly native: NativePath;
	readonly stat: BigIntStats;
}

/** Left out everywhere: what belongs to git, to Lode and to npm. Nothing else is, not even what a .gitignore names. */
const IGNORED = new Set([".git", ".lode", "node_modules"]);
const STATS_AT_ONCE = 64;

interface Entry {
	readonly name: Buffer;
	readonly folder: boolean;
}

/** Regular files and links below a root, ordered by the bytes of the path. `home`: Lode's home, wherever it lies. */
export async function* scanFolder(root: string, home: string): AsyncGenerator<ScannedFile, void, undefined> {
	yield* scan(root, Buffer.alloc(0), home);
}

async function* scan(root: string, relative: Buffer, home: string): AsyncGenerator<ScannedFile, void, undefined> {
	const entries = await listFolder(root, relative);
	for (let start = 0; start < entries.length; start += STATS_AT_ONCE) {
		const some = entries.slice(start, start + STATS_AT_ONCE);
		const stats = await Promise.all(
			some.map((entry) => (entry.folder ? undefined : statFile(root, join(relative, entry.name)))),
		);
		for (const [index, entry] of some.entries()) {
			const below = join(relative, entry.name);
			if (entry.folder) {
				if (path.join(root, ...below.toString("utf8").split("/")) !== home) yield* scan(root, below, home);
				continue;
			}
			const stat = stats[index];
			// Sockets, pipes and devices have no content; what vanished meanwhile is not there.
			if (stat === undefined || !(stat.isFile() || stat.isSymbolicLink())) continue;
			yield { path: below, native: nativePath(root, below), stat };
		}
	}
}

/** Sorted as the full paths below will be: a folder sorts as if its name ended in a slash. */
async function listFolder(root: string, relative: Buffer): Promise<Entry[]> {
	const folder = nativePath(root, relative);
	try {
		const found: { name: NativePath; folder: boolean }[] = (
			process.platform === "win32"
				? await readdir(folder, { withFileTypes: true })
				: await readdir(folder, { withFileTypes: true, encoding: "buffer" })
		).map((entry: Dirent | Dirent<NonSharedBuffer>) => ({ name: entry.name, folder: entry.isDirectory() }));
		return found
			.filter(({ name }) => !IGNORED.has(name.toString("utf8")))
			.map(({ name, folder }) => ({ name: posixBytes(name), folder }))
			.sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
	} catch (error) {
		// A folder that vanished while it was scanned; the root itself must be there.
		if (relative.length > 0 && isGone(error)) return [];
		throw unreadable(root, relative, error);
	}
}

async function statFile(root: string, relative: Buffer): Promise<BigIntStats | undefined> {
	try {
		return await lstat(nativePath(root, relative), { bigint: true });
	} catch (error) {
		if (isGone(error)) return undefined;
		throw unreadable(root, relative, error);
	}
}

export function isGone(error: unknown): boolean {
	const { code } = error as NodeJS.ErrnoException;
	// ELOOP: a link took the place of a file that was about to be opened without following links.
	return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}

/** Nothing is left out silently: one file that cannot be read fails the scan, and is named. */
export function unreadable(root: string, relative: Buffer, error: unknown): LodeError {
	if (error instanceof LodeError) return error;
	const { code } = error as NodeJS.ErrnoException;
	const place = relative.length === 0 ? root : `${encodePath(relative)} in ${root}`;
	if (code === "EACCES" || code === "EPERM") {
		return new LodeError("PERMISSION_DENIED", `Reading ${place} is not permitted.`, {
			next: "Give the user that runs Lode read access to it, or move it out of the folder.",
			cause: error,
		});
	}
	if (isGone(error)) {
		return new LodeError("SOURCE_NOT_FOUND", `There is no folder at ${root} any more.`, {
			next: "Check the path. What was published of it stays searchable.",
			cause: error,
		});
	}
	if (code === "EMFILE" || code === "ENFILE" || code === "EBUSY" || code === "EIO" || code === "ESTALE") {
		return new LodeError("SOURCE_UNAVAILABLE", `Reading ${place} failed (${code}).`, {
			next: "Try again.",
			cause: error,
		});
	}
	return new LodeError("REPOSITORY_UNREADABLE", `Reading ${place} failed (${code ?? "unknown"}).`, { cause: error });
}

function sortKey({ name, folder }: Entry): Buffer {
	return folder ? Buffer.concat([name, Buffer.from("/")]) : name;
}

function join(relative: Buffer, name: Buffer): Buffer {
	return relative.length === 0 ? name : Buffer.concat([relative, Buffer.from("/"), name]);
}
