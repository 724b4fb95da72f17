import { open } from "node:fs/promises";
import { withChecksum, withoutChecksum } from "../keyed-bytes.js";
import type { FileDrop } from "./file-drop.js";
import { archiveError, systemCode } from "./folder-errors.js";
import { keyPath, removeKeys } from "./keyed-files.js";

const RENEW_AFTER_MS = 60_000;

/** Objects that can be computed again: written at once and whole, but not forced to disk; a damaged one counts as absent. */
export class DerivedFiles {
	constructor(
		readonly folder: string,
		private readonly drop: FileDrop,
	) {}

	async put(key: string, bytes: Uint8Array): Promise<void> {
		const path = keyPath(this.folder, key);
		try {
			await this.drop.replace(withChecksum(bytes), path);
		} catch (error) {
			throw archiveError(error, "store", key);
		}
	}

	async get(key: string): Promise<Uint8Array | undefined> {
		const path = keyPath(this.folder, key);
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
		try {
			await removeKeys(this.folder, prefix);
		} catch (error) {
			throw archiveError(error, "remove", prefix);
		}
	}

	/** What is used stays longer. Not more often than collection could notice. */
	async #renew(handle: Awaited<ReturnType<typeof open>>): Promise<void> {
		const now = new Date();
		if (now.getTime() - (await handle.stat()).mtimeMs > RENEW_AFTER_MS)
			await handle.utimes(now, now).catch(() => undefined);
	}
}
