import type { Dirent } from "node:fs";
import { link, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { DerivedFiles } from "./derived-files.js";
import { archiveError, IN_USE, systemCode } from "./folder-errors.js";
import { keyOf, removeIfEmpty } from "./keyed-files.js";
import type { ObjectFiles } from "./object-files.js";

interface CollectedFiles {
	readonly objects: number;
	readonly bytes: number;
}

/**
 * Deletes what nobody keeps and nobody put or renewed since `before`. Staging renews what it reuses, so with `before` further back than the
 * longest ingestion nothing that one relies on is old enough. One that begins this very moment is served by the order of steps:
 * the object is moved to the trash first and its time is read after. A put that renewed it before the move has changed that time, and the
 * object is moved back; a put that comes after the move finds nothing and writes it again.
 */
export async function collectFiles(
	objects: ObjectFiles,
	derived: DerivedFiles,
	temporary: string,
	kept: (address: string) => boolean,
	before: string,
): Promise<CollectedFiles> {
	const limit = Date.parse(before);
	if (Number.isNaN(limit)) throw new TypeError(`not a time: ${before}`);
	let [count, bytes] = [0, 0];
	const gone = (size: number) => {
		count += 1;
		bytes += size;
	};
	try {
		await mkdir(objects.trash, { recursive: true });
		// Left there by a collection that was killed.
		for await (const path of filesBelow(objects.trash)) await judge(objects, baseName(path), limit);

		for await (const path of filesBelow(objects.folder)) {
			const address = relative(objects.folder, path).split(sep).join("");
			if (kept(address)) continue;
			const found = await statOf(path);
			if (found === undefined || found.mtimeMs >= limit) continue;
			try {
				await rename(path, join(objects.trash, address));
			} catch (error) {
				const code = systemCode(error);
				// Gone, or (on Windows) being read just now: the next collection finds it.
				if (code === "ENOENT" || (process.platform === "win32" && code !== undefined && IN_USE.has(code))) continue;
				throw error;
			}
			if (await judge(objects, address, limit)) gone(found.size);
		}

		for await (const path of filesBelow(derived.folder)) {
			const parts = relative(derived.folder, path).split(sep);
			const key = keyOf(parts);
			if (key !== undefined && kept(key)) continue;
			const found = await statOf(path);
			if (found === undefined || found.mtimeMs >= limit) continue;
			// They can be computed again: a race costs time only.
			await rm(path, { force: true });
			await removeIfEmpty(join(derived.folder, ...parts.slice(0, -1)), derived.folder);
			gone(found.size);
		}

		for await (const path of filesBelow(temporary)) {
			const found = await statOf(path);
			if (found !== undefined && found.mtimeMs < limit) await rm(path, { force: true });
		}
	} catch (error) {
		throw archiveError(error, "collect", "objects");
	}
	return { objects: count, bytes };
}

/** Deletes an object in the trash for good, or puts it back where someone renewed it. Returns whether it is gone. */
async function judge(objects: ObjectFiles, address: string, limit: number): Promise<boolean> {
	const trashed = join(objects.trash, address);
	const found = await statOf(trashed);
	if (found === undefined) return false;
	const renewed = found.mtimeMs >= limit;
	if (renewed) await putBack(trashed, objects.path(address));
	await rm(trashed, { force: true });
	return !renewed;
}

/** A link never replaces what was written there meanwhile; where there are no links, a rename replaces it by the same bytes. */
async function putBack(trashed: string, place: string): Promise<void> {
	try {
		await link(trashed, place);
	} catch (error) {
		if (systemCode(error) === "EEXIST") return;
		await rename(trashed, place);
	}
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
	let entries: Dirent[];
	try {
		entries = await readdir(folder, { withFileTypes: true });
	} catch (error) {
		if (systemCode(error) === "ENOENT") return;
		throw error;
	}
	for (const entry of entries) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) yield* filesBelow(path);
		else if (entry.isFile()) yield path;
	}
}

const baseName = (path: string): string => path.slice(path.lastIndexOf(sep) + 1);

async function statOf(path: string): Promise<{ size: number; mtimeMs: number } | undefined> {
	try {
		return await stat(path);
	} catch (error) {
		if (systemCode(error) === "ENOENT") return undefined;
		throw error;
	}
}
