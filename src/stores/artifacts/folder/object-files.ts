import { createHash } from "node:crypto";
import { open, readFile, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import pLimit from "p-limit";
import { allEnded } from "../../../domain/all-ended.js";
import { sha256 } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import type { ObjectContent, ObjectInfo } from "../artifacts.port.js";
import { checkedContent } from "../checked-content.js";
import { type FileDrop, syncFolder } from "./file-drop.js";
import { archiveError, systemCode } from "./folder-errors.js";

/** In flight at once: syncs that wait together share a commit of the file system's journal (50 small files: 34 ms alone, 10 ms so). */
const CONCURRENCY = 32;
/** A file this young may have been renamed by a process that has not synced its folder yet. */
const YOUNG_MS = 60_000;
const ADDRESS = /^[0-9a-f]{64}$/;

/**
 * Objects as plain files `objects/ab/cdef…`: uncompressed, so that the size on disk tells a cut-off one and any tool can read them.
 * (Most source files fill one disk block either way.)
 */
export class ObjectFiles {
	readonly #limit = pLimit(CONCURRENCY);
	/** Folders have turns of their own: who is at the end does not wait for the files of those who came later. */
	readonly #folderLimit = pLimit(CONCURRENCY);

	constructor(
		readonly folder: string,
		/** Where garbage collection puts an object before it looks at it for the last time. */
		readonly trash: string,
		private readonly drop: FileDrop,
	) {}

	async put(objects: readonly Uint8Array[]): Promise<string[]> {
		const addresses = objects.map((bytes) => sha256(bytes));
		const unique = new Map(addresses.map((address, index) => [address, objects[index] as Uint8Array]));
		const unsynced = new Set<string>();
		await this.#all([...unique], ([address, bytes]) =>
			this.#guard("store", address, async () => {
				if (!(await this.#renew(address, bytes.length, unsynced)))
					await this.#place(address, await this.drop.write(bytes, true), unsynced);
			}),
		);
		await this.#sync(unsynced);
		return addresses;
	}

	async putStream(content: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
		const hash = createHash("sha256");
		let size = 0;
		let failure: { readonly of: unknown } | undefined;
		async function* counted() {
			try {
				for await (const chunk of content) {
					hash.update(chunk);
					size += chunk.length;
					yield chunk;
				}
			} catch (error) {
				failure = { of: error };
				throw error;
			}
		}
		try {
			const temporary = await this.drop.write(counted(), true);
			const address = hash.digest("hex");
			const unsynced = new Set<string>();
			if (await this.#renew(address, size, unsynced)) await this.drop.remove(temporary);
			else await this.#place(address, temporary, unsynced);
			await this.#sync(unsynced);
			return { object: address, size };
		} catch (error) {
			// Where the content comes from is not ours to explain.
			throw failure?.of === error ? error : archiveError(error, "store", "a stream");
		}
	}

	async get(address: string): Promise<Uint8Array | undefined> {
		const place = this.path(address);
		return await this.#guard("read", address, async () => {
			// One that was renewed just as collection took it out is put back a moment later.
			const bytes = await firstThere([place, join(this.trash, address), place], (at) => readFile(at));
			if (bytes === undefined || sha256(bytes) === address) return bytes;
			throw damaged(address);
		});
	}

	async getStream(address: string): Promise<ObjectContent | undefined> {
		const places = [this.path(address), join(this.trash, address), this.path(address)];
		const size = await this.#guard("read", address, () =>
			firstThere(places, async (place) => (await stat(place)).size),
		);
		if (size === undefined) return undefined;
		return { size, pieces: checkedContent(address, this.#pieces(places, address), () => damaged(address)) };
	}

	async missing(addresses: readonly string[]): Promise<string[]> {
		const unsynced = new Set<string>();
		const absent = new Set<string>();
		await this.#all([...new Set(addresses)], (address) =>
			this.#guard("look for", address, async () => {
				if (!(await this.#renew(address, undefined, unsynced))) absent.add(address);
			}),
		);
		await this.#sync(unsynced);
		return [...new Set(addresses)].filter((address) => absent.has(address));
	}

	/** Opened when the first piece is wanted: what nobody reads holds no file open. */
	async *#pieces(places: readonly string[], address: string): AsyncGenerator<Uint8Array> {
		const file = await this.#guard("read", address, () => firstThere(places, (place) => open(place)));
		try {
			if (file !== undefined) yield* file.createReadStream({ autoClose: false });
		} catch (error) {
			throw archiveError(error, "read", address);
		} finally {
			await file?.close();
		}
	}

	path(address: string): string {
		if (!ADDRESS.test(address)) throw new LodeError("INTERNAL", `"${address.slice(0, 80)}" is no address of an object`);
		return join(this.folder, address.slice(0, 2), address.slice(2));
	}

	/**
	 * Whether a whole object is there; it is then as if put now. Its time is set before it is relied on: collection, which takes an
	 * object away first and looks at its time after, either finds it renewed and puts it back, or makes this fail.
	 */
	async #renew(address: string, size: number | undefined, unsynced: Set<string>): Promise<boolean> {
		const path = this.path(address);
		try {
			const found = await stat(path);
			if (size === undefined ? found.size === 0 && address !== EMPTY : found.size !== size) return false;
			const now = new Date();
			await utimes(path, now, now);
			if (now.getTime() - found.mtimeMs < YOUNG_MS) unsynced.add(dirname(path));
			return true;
		} catch (error) {
			if (systemCode(error) === "ENOENT") return false;
			throw error;
		}
	}

	async #place(address: string, temporary: string, unsynced: Set<string>): Promise<void> {
		const path = this.path(address);
		if (await this.drop.place(temporary, path)) unsynced.add(this.folder);
		unsynced.add(dirname(path));
	}

	async #sync(folders: ReadonlySet<string>): Promise<void> {
		const sync = (folder: string) => this.#guard("make durable", "a folder", () => syncFolder(folder));
		await this.#all([...folders], sync, this.#folderLimit);
	}

	#all<T>(items: readonly T[], work: (item: T) => Promise<void>, limit = this.#limit): Promise<void> {
		return allEnded(items.map((item) => limit(() => work(item))));
	}

	async #guard<T>(operation: string, thing: string, work: () => Promise<T>): Promise<T> {
		try {
			return await work();
		} catch (error) {
			throw archiveError(error, operation, thing);
		}
	}
}

const EMPTY = sha256("");

const damaged = (address: string) =>
	new LodeError("STORE_CORRUPT", `The object ${address} in the archive is damaged`, {
		next: "Ingest the commit that has it again, or restore the archive from a backup.",
	});

async function firstThere<T>(places: readonly string[], look: (place: string) => Promise<T>): Promise<T | undefined> {
	for (const place of places) {
		try {
			return await look(place);
		} catch (error) {
			if (systemCode(error) !== "ENOENT") throw error;
		}
	}
	return undefined;
}
