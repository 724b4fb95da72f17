import { open, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assertKey, assertPrefix, KEY_SUFFIX, withChecksum, withoutChecksum } from "../keyed-bytes.js";
import type { FileDrop } from "./file-drop.js";
import { archiveError, systemCode } from "./folder-errors.js";

const RENEW_AFTER_MS = 60_000;

/** Objects that can be computed again: written at once and whole, but not forced to disk; a damaged one counts as absent. */
export class DerivedFiles {
	constructor(
		readonly folder: string,
		private readonly drop: FileDrop,
	) {}

	async put(key: string, bytes: Uint8Array): Promise<void> {
		const path = this.#path(key);
		try {
			await this.drop.place(await this.drop.write(withChecksum(bytes), false), path);
		} catch (error) {
			throw archiveError(error, "store", key);
		}
	}

	async get(key: string): Promise<Uint8Array | undefined> {
		const path = this.#path(key);
		try {
			const handle = await open(path, "r");
			try {
				const bytes = withoutChecksum(await handle.readFile());
				if (bytes !== undefined) await this.#renew(handle);
				return bytes;
			} finally {
				await handle.close();
			}
		} catch (error) {
			if (systemCode(error) === "ENOENT") return undefined;
			throw archiveError(error, "read", key);
		}
	}

	/** Deletes every key that begins with the prefix. */
	async remove(prefix: string): Promise<void> {
		assertPrefix(prefix);
		const slash = prefix.lastIndexOf("/");
		const folder = join(this.folder, ...prefix.slice(0, Math.max(slash, 0)).split("/"));
		const start = prefix.slice(slash + 1);
		try {
			for (const name of await readdir(folder))
				if (name.startsWith(start)) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
			await removeIfEmpty(folder, this.folder);
		} catch (error) {
			if (systemCode(error) !== "ENOENT") throw archiveError(error, "remove", prefix);
		}
	}

	/** The key of a file below the folder, given its path parts. */
	keyOf(parts: readonly string[]): string | undefined {
		const name = parts.join("/");
		return name.endsWith(KEY_SUFFIX) ? name.slice(0, -KEY_SUFFIX.length) : undefined;
	}

	/** What is used stays longer. Not more often than collection could notice. */
	async #renew(handle: Awaited<ReturnType<typeof open>>): Promise<void> {
		const now = new Date();
		if (now.getTime() - (await handle.stat()).mtimeMs > RENEW_AFTER_MS)
			await handle.utimes(now, now).catch(() => undefined);
	}

	#path(key: string): string {
		assertKey(key);
		return join(this.folder, ...`${key}${KEY_SUFFIX}`.split("/"));
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
