import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { assertRecord, damagedRecord, keysAfter, withChecksum, withoutChecksum } from "../keyed-bytes.js";
import { type FileDrop, syncFolder } from "./file-drop.js";
import { archiveError, systemCode } from "./folder-errors.js";
import { keyPath, keysBelow, removeKeys } from "./keyed-files.js";

/** Records: written once, forced to disk, kept until they are removed by name. */
export class RecordFiles {
	constructor(
		readonly folder: string,
		private readonly drop: FileDrop,
	) {}

	async put(key: string, bytes: Uint8Array): Promise<void> {
		assertRecord(key, bytes);
		const path = keyPath(this.folder, key);
		try {
			await this.drop.placeNew(await this.drop.write(withChecksum(bytes), true), path);
			// Also where another process was first: it may not have come so far.
			await this.#sync(path);
		} catch (error) {
			throw archiveError(error, "store", key);
		}
	}

	/** @throws STORE_CORRUPT */
	async get(key: string): Promise<Uint8Array | undefined> {
		const path = keyPath(this.folder, key);
		try {
			const bytes = withoutChecksum(await readFile(path));
			if (bytes === undefined) throw damagedRecord(key);
			return bytes;
		} catch (error) {
			if (systemCode(error) === "ENOENT") return undefined;
			throw archiveError(error, "read", key);
		}
	}

	async keys(prefix: string, after: string | undefined): Promise<string[]> {
		try {
			return await keysAfter(keysBelow(this.folder, prefix, after), after);
		} catch (error) {
			throw archiveError(error, "list", prefix);
		}
	}

	async remove(prefix: string): Promise<void> {
		try {
			await removeKeys(this.folder, prefix);
		} catch (error) {
			throw archiveError(error, "remove", prefix);
		}
	}

	/** Every folder on the way: each may be new. */
	async #sync(path: string): Promise<void> {
		const top = dirname(this.folder);
		for (let at = dirname(path); at.startsWith(top); at = dirname(at)) {
			await syncFolder(at);
			if (at === top) return;
		}
	}
}
