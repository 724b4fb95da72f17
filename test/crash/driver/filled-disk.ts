import { open, rm } from "node:fs/promises";
import { join } from "node:path";

const PIECE = Buffer.alloc(1024 * 1024);

/** Takes all the room that a disk has but `leave` bytes, until the returned function gives it back. */
export async function fillDisk(disk: string, leave: number): Promise<() => Promise<void>> {
	const ballast = join(disk, "ballast");
	const handle = await open(ballast, "w");
	let size = 0;
	try {
		for (let piece = PIECE; ; ) {
			try {
				size += (await handle.write(piece, 0, piece.length, size)).bytesWritten;
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
				if (piece.length <= 4_096) break;
				piece = piece.subarray(0, Math.max(4_096, piece.length / 2));
			}
		}
		if (leave > 0) await handle.truncate(Math.max(0, size - leave));
	} finally {
		await handle.close();
	}
	return () => rm(ballast, { force: true });
}
