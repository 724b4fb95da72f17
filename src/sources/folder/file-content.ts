import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { sha256 } from "../../domain/digest.js";
import type { ObjectInfo } from "../../stores/artifacts/artifacts.port.js";
import { type NativePath, posixBytes } from "./native-path.js";

const TRIES = 4;
const CHUNK = 1024 * 1024;

export interface Content {
	readonly sha: string;
	readonly size: number;
	/** Undefined where it was too large to be held: then it is in the archive already. */
	readonly bytes: Uint8Array | undefined;
	/** As the file was after its last byte was read; undefined when it was still changing, so that nobody trusts it. */
	readonly stat: BigIntStats | undefined;
}

/** Where contents of more than `above` bytes go, piece by piece. */
export interface LargeContents {
	readonly above: number;
	readonly put: (content: AsyncIterable<Uint8Array>) => Promise<ObjectInfo>;
}

/** The text of a link, with POSIX separators. Never what it points to. */
export async function readLinkContent(file: NativePath): Promise<Content> {
	const target =
		typeof file === "string" ? posixBytes(await readlink(file)) : await readlink(file, { encoding: "buffer" });
	return { sha: sha256(target), size: target.length, bytes: target, stat: undefined };
}

/**
 * A file's content, read again when it changed meanwhile. One that never stands still (a log) is taken as the last try read it: what
 * is archived is what was hashed, and the next scan reads it again. Undefined when it is a regular file no more.
 */
export async function readFileContent(file: NativePath, large: LargeContents): Promise<Content | undefined> {
	for (let attempt = 1; ; attempt++) {
		// Without following a link or waiting on a pipe that took the file's place since it was listed.
		const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
		const handle = await open(file, flags);
		try {
			const before = await handle.stat({ bigint: true });
			if (!before.isFile()) return undefined;
			const content =
				before.size > BigInt(large.above)
					? await putLarge(handle, large)
					: await readWhole(handle, Number(before.size));
			const after = await handle.stat({ bigint: true });
			const still = sameState(before, after) && BigInt(content.size) === after.size;
			if (still || attempt >= TRIES) return { ...content, stat: still ? after : undefined };
		} finally {
			await handle.close();
		}
	}
}

export function sameState(a: BigIntStats, b: BigIntStats): boolean {
	return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino;
}

/** At most as many bytes as it had when it was opened, so that a growing file cannot outgrow the bound. */
async function readWhole(handle: FileHandle, size: number): Promise<Omit<Content, "stat">> {
	const buffer = Buffer.allocUnsafeSlow(size);
	let done = 0;
	while (done < size) {
		const { bytesRead } = await handle.read(buffer, done, size - done, done);
		if (bytesRead === 0) break;
		done += bytesRead;
	}
	const bytes = buffer.subarray(0, done);
	return { sha: sha256(bytes), size: done, bytes };
}

async function putLarge(handle: FileHandle, large: LargeContents): Promise<Omit<Content, "stat">> {
	const { object, size } = await large.put(chunksOf(handle));
	return { sha: object, size, bytes: undefined };
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
	let position = 0;
	for (;;) {
		const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, position);
		if (bytesRead === 0) return;
		position += bytesRead;
		yield buffer.subarray(0, bytesRead);
	}
}
