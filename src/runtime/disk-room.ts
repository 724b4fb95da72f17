import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { LodeError } from "../domain/errors.js";

const NEXT = "Free some disk space, then run the command again, or `lode retry` for what is parked. Nothing is lost.";
/** Less than this and neither SQLite nor Temporal can write a page. Bytes. */
const NOTHING = 256 * 1024;
const POLL_MS = 1_000;
/** A moment without room passes: what was written too much is removed again. */
const POLLS = 10;

/** Bytes that may still be written to the disk of a folder; undefined where the system does not tell. */
async function freeBytes(folder: string): Promise<number | undefined> {
	try {
		const { bavail, bsize } = await statfs(folder);
		return bavail * bsize;
	} catch {
		return undefined;
	}
}

/**
 * Refuses new work while the disk has less than `reserve` bytes beyond what the work takes. What is left is needed to end in order: to write
 * down that an ingestion failed, to discard it, and for Temporal to go on.
 */
export function roomOn(folder: string, reserve: number): (bytes?: number) => Promise<void> {
	return async (bytes = 0) => {
		const free = await freeBytes(folder);
		if (free === undefined || free >= bytes + reserve) return;
		const megabytes = (count: number) => `${(count / 2 ** 20).toFixed(0)} MiB`;
		throw new LodeError(
			"DISK_FULL",
			`the disk of ${folder} has ${megabytes(free)} left, ${megabytes(bytes + reserve)} are needed to go on`,
			{ next: NEXT },
		);
	};
}

/** Rejects when the disk of a folder stays without any room: then nobody can even say that the work failed. */
export async function diskStaysFull(folder: string, ended: AbortSignal): Promise<never> {
	for (let full = 0; full < POLLS; ) {
		await sleep(POLL_MS, undefined, { signal: ended, ref: false });
		const free = await freeBytes(folder);
		full = free !== undefined && free < NOTHING ? full + 1 : 0;
	}
	throw new LodeError("DISK_FULL", `the disk of ${folder} is full: nothing can be written`, {
		next: "Free some disk space: what was accepted is safe, and goes on where Lode runs; `lode status` shows it.",
	});
}
