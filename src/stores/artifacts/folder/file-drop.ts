import { randomUUID } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { type FileHandle, link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { IN_USE, systemCode } from "./folder-errors.js";

/** What one temporary file may be written from. */
type FileContent = Uint8Array | AsyncIterable<Uint8Array>;

const ATTEMPTS = 6;
const AT_ONCE_BYTES = 64 * 1024;
/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Writes files so that nobody ever sees a part of one: into a temporary folder of the same file system, then renamed. What fails is
 * removed; what a killed process left there is for garbage collection.
 */
export class FileDrop {
	constructor(readonly folder: string) {}

	/** Returns the path of a complete temporary file. `durable`: its bytes are on disk. */
	async write(content: FileContent, durable: boolean): Promise<string> {
		const path = join(this.folder, randomUUID());
		const handle = await this.#open(path);
		try {
			await handle.writeFile(content);
			if (durable) await handle.sync();
			await handle.close();
			return path;
		} catch (error) {
			await handle.close().catch(() => undefined);
			await this.remove(path);
			throw error;
		}
	}

	async #open(path: string): Promise<FileHandle> {
		try {
			return await open(path, "wx");
		} catch (error) {
			if (systemCode(error) !== "ENOENT") throw error;
			await mkdir(this.folder, { recursive: true });
			return await open(path, "wx");
		}
	}

	/**
	 * Writes a file at its place, over what is there; not forced to disk. A small one at once: to hand it to other threads four times costs this
	 * one more than to write it.
	 */
	async replace(content: Uint8Array, target: string): Promise<void> {
		if (content.byteLength <= AT_ONCE_BYTES && process.platform !== "win32") {
			const temporary = join(this.folder, randomUUID());
			try {
				writeFileSync(temporary, content, { flag: "wx" });
				renameSync(temporary, target);
				return;
			} catch (error) {
				await this.remove(temporary);
				// A folder is missing, or was removed as empty just now: the way below makes it.
				if (systemCode(error) !== "ENOENT") throw error;
			}
		}
		await this.place(await this.write(content, false), target);
	}

	/** Moves a temporary file to its place, over what is there. Returns whether the folder had to be made. */
	async place(temporary: string, target: string): Promise<boolean> {
		let made = false;
		for (let attempt = 1; ; attempt++) {
			try {
				await rename(temporary, target);
				return made;
			} catch (error) {
				const code = systemCode(error);
				if (attempt === ATTEMPTS) {
					await this.remove(temporary);
					throw error;
				}
				if (code === "ENOENT") {
					// Missing, or removed as empty since the last attempt.
					await mkdir(dirname(target), { recursive: true });
					made = true;
				} else if (process.platform === "win32" && code !== undefined && IN_USE.has(code)) {
					await pause(10 * attempt);
				} else {
					await this.remove(temporary);
					throw error;
				}
			}
		}
	}

	/**
	 * Moves a temporary file to its place where nothing is yet; of several processes the first wins. What is there stays as it is. (On a file
	 * system without links, two that come at the very same moment may both believe that they were first; the file is whole all the same.)
	 */
	async placeNew(temporary: string, target: string): Promise<void> {
		try {
			for (let attempt = 1; ; attempt++) {
				try {
					await link(temporary, target);
					return;
				} catch (error) {
					const code = systemCode(error) ?? "";
					if (code === "EEXIST") return;
					if (NO_LINKS.has(code)) {
						if (!(await exists(target))) await this.place(temporary, target);
						return;
					}
					// Missing, or removed as empty since the last attempt.
					if (code !== "ENOENT" || attempt === ATTEMPTS) throw error;
					await mkdir(dirname(target), { recursive: true });
				}
			}
		} finally {
			await this.remove(temporary);
		}
	}

	async remove(temporary: string): Promise<void> {
		await rm(temporary, { force: true }).catch(() => undefined);
	}
}

/** Makes renames in a folder durable. Windows cannot, and does not need to: its renames are journaled. */
export async function syncFolder(path: string): Promise<void> {
	if (process.platform === "win32") return;
	const handle = await open(path, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

async function exists(path: string): Promise<boolean> {
	try {
		await stat(path);
		return true;
	} catch (error) {
		if (systemCode(error) === "ENOENT") return false;
		throw error;
	}
}
