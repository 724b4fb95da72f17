import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import lockfile from "proper-lockfile";
import { errorCode, LodeError } from "../../src/domain/errors.js";

/** One way to get the program: makes it in the folder `into` and says where it lies. */
interface Way {
	readonly from: "download" | "go";
	make(into: string): Promise<string>;
	failed(reason: string): void;
}

interface InstallOptions {
	report(line: string): void;
	/** The version of a binary that runs here, undefined for anything else. */
	verify(binary: string): Promise<string | undefined>;
	readonly signal: AbortSignal | undefined;
}

interface Installed {
	readonly path: string;
	readonly from: "cache" | "download" | "go";
	readonly version: string;
}

/**
 * Tries the ways in order and moves the first program that runs to `folder/name` in one step, so that nobody ever starts half a file.
 * Processes that want the same wait for the one that is at it and take what it made.
 */
export async function installInto(
	folder: string,
	name: string,
	options: InstallOptions,
	ways: readonly Way[],
): Promise<Installed | undefined> {
	const path = join(folder, name);
	try {
		await mkdir(folder, { recursive: true });
	} catch (error) {
		for (const way of ways) way.failed(`${folder} cannot be written (${reasonOf(error)})`);
		return undefined;
	}
	let release: (() => Promise<void>) | undefined;
	try {
		release = await acquire(folder, options);
		const version = (await stat(path).catch(() => undefined)) ? await options.verify(path) : undefined;
		if (version !== undefined) return { path, from: "cache", version };
		for (const way of ways) {
			const into = await mkdtemp(join(folder, "new-"));
			try {
				const made = await way.make(into);
				const madeVersion = await options.verify(made);
				if (madeVersion === undefined) {
					way.failed("what came does not run here");
					continue;
				}
				await rename(made, path);
				return { path, from: way.from, version: madeVersion };
			} catch (error) {
				options.signal?.throwIfAborted();
				way.failed(reasonOf(error));
			} finally {
				// Windows keeps a program that just ran open for a moment.
				await rm(into, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
			}
		}
		return undefined;
	} catch (error) {
		if (options.signal?.aborted && errorCode(error) === undefined) {
			throw new LodeError("CANCELLED", "getting the Temporal server was stopped", { cause: error });
		}
		throw error;
	} finally {
		await release?.();
	}
}

async function acquire(folder: string, options: InstallOptions): Promise<() => Promise<void>> {
	for (let told = false; ; ) {
		options.signal?.throwIfAborted();
		try {
			const release = await lockfile.lock(folder, { stale: 30_000, update: 5_000, onCompromised: () => undefined });
			return () => release().catch(() => undefined);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
		}
		if (!told) options.report("Waiting for another process that is getting the Temporal server …");
		told = true;
		await sleep(250, undefined, { signal: options.signal });
	}
}

function reasonOf(error: unknown): string {
	if (!(error instanceof Error)) return "unknown error";
	const cause =
		error.cause instanceof Error ? ` (${(error.cause as NodeJS.ErrnoException).code ?? error.cause.message})` : "";
	return `${error.message}${cause}`.slice(0, 300);
}
