import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "./sync-folder.js";

/** Bytes of one write: what waits longer goes with the next. */
const WRITE_BYTES = 4 * 1024 * 1024;

interface Waiting {
	readonly bytes: Buffer;
	resolve(path: string): void;
	reject(error: unknown): void;
}

/**
 * Appends to one file at a time. What comes while a write is on its way to the disk waits and goes together with the next one: many share one
 * fsync. After a failed write the file is cut back to what was acknowledged and never written again.
 */
export class SegmentWriter {
	#handle: FileHandle | undefined;
	#path = "";
	#size = 0;
	#waiting: Waiting[] = [];
	#flushing: Promise<void> | undefined;

	constructor(
		/** Names the file that comes next. */
		private readonly nextPath: () => string,
		private readonly segmentBytes: number,
	) {}

	/** Goes on behind what a file holds. */
	async resume(path: string, size: number): Promise<void> {
		const handle = await open(path, "r+");
		await handle.truncate(size);
		await handle.datasync();
		this.#handle = handle;
		this.#path = path;
		this.#size = size;
	}

	/** Resolves with the file when the bytes are on the disk. */
	append(bytes: Buffer): Promise<string> {
		return new Promise((resolve, reject) => {
			this.#waiting.push({ bytes, resolve, reject });
			this.#flushing ??= this.#flush().finally(() => {
				this.#flushing = undefined;
			});
		});
	}

	async close(): Promise<void> {
		while (this.#flushing !== undefined) await this.#flushing;
		await this.#handle?.close();
		this.#handle = undefined;
	}

	async #flush(): Promise<void> {
		// What is asked for in the same turn goes along.
		await Promise.resolve();
		while (this.#waiting.length > 0) {
			const batch = this.#take();
			try {
				await this.#write(Buffer.concat(batch.map(({ bytes }) => bytes)));
				for (const { resolve } of batch) resolve(this.#path);
			} catch (error) {
				for (const { reject } of batch) reject(error);
			}
		}
	}

	#take(): Waiting[] {
		let count = 0;
		for (let bytes = 0; count < this.#waiting.length && (count === 0 || bytes < WRITE_BYTES); count += 1) {
			bytes += (this.#waiting[count] as Waiting).bytes.length;
		}
		return this.#waiting.splice(0, count);
	}

	async #write(bytes: Buffer): Promise<void> {
		if (this.#handle !== undefined && this.#size >= this.segmentBytes) await this.#leave();
		const handle = this.#handle ?? (await this.#begin());
		try {
			for (let written = 0; written < bytes.length; ) {
				const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, this.#size + written);
				written += bytesWritten;
			}
			await handle.datasync();
			this.#size += bytes.length;
		} catch (error) {
			// After a failed fsync nobody knows what of it is on the disk: not what was promised, so it goes, and another file is begun.
			await handle.truncate(this.#size).catch(() => undefined);
			await this.#leave();
			throw error;
		}
	}

	async #begin(): Promise<FileHandle> {
		const path = this.nextPath();
		const handle = await open(path, "wx", 0o600);
		try {
			await syncFolder(dirname(path));
		} catch (error) {
			await handle.close();
			throw error;
		}
		this.#handle = handle;
		this.#path = path;
		this.#size = 0;
		return handle;
	}

	async #leave(): Promise<void> {
		const handle = this.#handle;
		this.#handle = undefined;
		await handle?.close().catch(() => undefined);
	}
}
