import type { Dirent } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assertKey, assertPrefix, KEY_SUFFIX } from "../keyed-bytes.js";
import { systemCode } from "./folder-errors.js";

/** Where a key's file lies below the folder. @throws INTERNAL for what is no key */
export function keyPath(folder: string, key: string): string {
	assertKey(key);
	return join(folder, ...`${key}${KEY_SUFFIX}`.split("/"));
}

/** The key of a file below the folder, given its path parts. */
export function keyOf(parts: readonly string[]): string | undefined {
	const name = parts.join("/");
	return name.endsWith(KEY_SUFFIX) ? name.slice(0, -KEY_SUFFIX.length) : undefined;
}

/** Every key that begins with the prefix, in no order; with `after`, at least those that come after it. */
export async function* keysBelow(folder: string, prefix: string, after = ""): AsyncGenerator<string> {
	const { parts, start } = split(prefix);
	yield* walk(folder, parts, start, after);
}

async function* walk(top: string, parts: readonly string[], start: string, after: string): AsyncGenerator<string> {
	let entries: Dirent[];
	try {
		entries = await readdir(join(top, ...parts), { withFileTypes: true });
	} catch (error) {
		if (systemCode(error) === "ENOENT") return;
		throw error;
	}
	for (const entry of entries) {
		if (!entry.name.startsWith(start)) continue;
		const below = [...parts, entry.name];
		if (entry.isFile()) {
			const key = keyOf(below);
			if (key !== undefined) yield key;
		} else if (entry.isDirectory()) {
			const begin = `${below.join("/")}/`;
			// All keys below begin so: either all of them come before, or some may not.
			if (begin > after || after.startsWith(begin)) yield* walk(top, below, "", after);
		}
	}
}

/** Deletes every key that begins with the prefix. */
export async function removeKeys(top: string, prefix: string): Promise<void> {
	const { parts, start } = split(prefix);
	const folder = join(top, ...parts);
	try {
		for (const name of await readdir(folder))
			if (name.startsWith(start)) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
		await removeIfEmpty(folder, top);
	} catch (error) {
		if (systemCode(error) !== "ENOENT") throw error;
	}
}

/** Removes a folder and those above it that this leaves empty, up to `top`. */
export async function removeIfEmpty(folder: string, top: string): Promise<void> {
	for (let at = folder; at !== top && at.startsWith(top); at = dirname(at)) {
		try {
			await rmdir(at);
		} catch {
			return;
		}
	}
}

/** The folder that a prefix leads into, and how names in it begin. */
function split(prefix: string): { parts: string[]; start: string } {
	assertPrefix(prefix);
	const slash = prefix.lastIndexOf("/");
	return { parts: slash < 0 ? [] : prefix.slice(0, slash).split("/"), start: prefix.slice(slash + 1) };
}
