import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { LodeError } from "../../domain/errors.js";

/** A lock that nobody renewed for this long belongs to a process that is gone. proper-lockfile allows no less than 5 s. */
const STALE_MS = 10_000;
const RENEW_MS = 2_000;
/** Git holds its own lock files for moments; one this old was left by a git that was killed. */
const GIT_LOCK_STALE_MS = 30_000;

export interface Waiting {
	readonly signal: AbortSignal | undefined;
	readonly onWait: () => void;
}

/**
 * Runs `work` while no other process or call works on the folder. The signal it gets aborts with the caller's, and when the lock
 * is lost (this process stood still for longer than the lock lives), because somebody else may be at work by then.
 */
export async function withMirrorLock<T>(
	folder: string,
	waiting: Waiting,
	work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const lost = new AbortController();
	const release = await acquire(folder, waiting, () => lost.abort());
	const signal = waiting.signal === undefined ? lost.signal : AbortSignal.any([waiting.signal, lost.signal]);
	try {
		return await work(signal);
	} catch (error) {
		if (!lost.signal.aborted || waiting.signal?.aborted) throw error;
		throw new LodeError("SOURCE_BUSY", "The lock on a repository's mirror was lost while this process stood still.", {
			next: "Try again.",
			cause: error,
		});
	} finally {
		// A lost lock is no longer ours to release.
		await release().catch(() => {});
	}
}

async function acquire(folder: string, waiting: Waiting, onLost: () => void): Promise<() => Promise<void>> {
	for (let pause = 20; ; pause = Math.min(pause * 2, 200)) {
		try {
			return await lockfile.lock(folder, {
				realpath: false,
				lockfilePath: path.join(folder, "mirror.lock"),
				stale: STALE_MS,
				update: RENEW_MS,
				onCompromised: onLost,
			});
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
		}
		if (waiting.signal?.aborted) {
			throw new LodeError("CANCELLED", "Waiting for a repository's mirror was cancelled.", {
				cause: waiting.signal.reason,
			});
		}
		waiting.onWait();
		await sleep(pause);
	}
}

/**
 * Removes lock files that a killed git left in a mirror. Only for the holder of the mirror's lock; young ones may belong to
 * a git that outlived its Lode, so they are left. Returns how many went.
 */
export async function removeStaleGitLocks(mirror: string): Promise<number> {
	let removed = 0;
	const now = Date.now();
	for (const file of await gitLocks(mirror)) {
		const age = now - ((await stat(file).catch(() => undefined))?.mtimeMs ?? now);
		if (age < GIT_LOCK_STALE_MS) continue;
		await rm(file, { force: true });
		removed += 1;
	}
	return removed;
}

async function gitLocks(mirror: string): Promise<string[]> {
	const isLock = (name: string): boolean => name.endsWith(".lock");
	const top = (await readdir(mirror)).filter(isLock).map((name) => path.join(mirror, name));
	const refs = (await readdir(path.join(mirror, "refs"), { recursive: true }))
		.filter(isLock)
		.map((name) => path.join(mirror, "refs", name));
	return [...top, ...refs];
}
