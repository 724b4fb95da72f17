import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { temporalReady } from "../../temporal/server/ready.js";
import type { TemporalServer } from "../../temporal/server/server.js";
import { type Config, configEnvironment } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import { compileCache } from "./compile-cache.js";
import type { ChildSpec } from "./supervisor.js";

/** A large database file or a slow disk; normally a second. */
const TEMPORAL_READY_MS = 60_000;
/** Loading a local model and the workflow bundle on a busy machine; normally two seconds. */
const WORKER_READY_MS = 180_000;

const logFile = (config: Config, name: string): string => join(config.home, "logs", `${name}.log`);

export function temporalChild(config: Config, server: TemporalServer, report: (line: string) => void): ChildSpec {
	// The server needs no setting of ours, least of all a secret, and its own variables must not reroute it.
	const env = Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !name.startsWith("LODE_") && !name.startsWith("TEMPORAL_")),
	);
	return {
		name: "Temporal",
		command: server.command,
		args: server.args,
		cwd: server.cwd,
		env,
		ipc: false,
		logFile: logFile(config, "temporal"),
		failure: "TEMPORAL_UNAVAILABLE",
		ready: (_said, signal) =>
			temporalReady({
				access: { address: server.address, namespace: config.temporal.namespace },
				timeoutMs: TEMPORAL_READY_MS,
				report,
				signal,
			}),
	};
}

/** The program that `worker.ts` is compiled to. */
function workerEntry(): string {
	const entry = fileURLToPath(new URL("../../worker.js", import.meta.url));
	if (!existsSync(entry)) {
		throw new LodeError("INTERNAL", `the worker program ${entry} is missing`, { next: "Run `npm run build`." });
	}
	return entry;
}

/**
 * Batches of records die young: with room for them few are moved to where only a full collection finds them (MiB a half). What batches in hand
 * need is some 150 MiB; without a bound V8 collects on a large machine only when four times what lives has piled up.
 */
export const WORKER_FLAGS = ["--max-semi-space-size=16", "--max-old-space-size=384"];
/**
 * More threads for files than the four that Node has: syncs that wait together share a commit of the file system's journal. And glibc's heaps for
 * each thread keep what one of them freed from all others: two are enough. Once a large buffer was freed glibc takes the next ones from its heap, where
 * holes stay between them, unless it has a bound: buffers of half a megabyte and more are the system's own again as soon as they are free.
 */
export const WORKER_ENVIRONMENT = {
	UV_THREADPOOL_SIZE: "16",
	MALLOC_ARENA_MAX: "2",
	MALLOC_MMAP_THRESHOLD_: `${512 * 1024}`,
	// What is free at the heap's end and given back. The bound above would leave this at 128 KiB.
	MALLOC_TRIM_THRESHOLD_: `${4 * 1024 * 1024}`,
};

/** A sixth of the processor time that the worker's modules take to load. */
function compiled(): NodeJS.ProcessEnv {
	const folder = compileCache();
	return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

export function workerChild(config: Config, address: string, entry: string | undefined): ChildSpec {
	return {
		name: "worker",
		command: process.execPath,
		args: [...WORKER_FLAGS, "--enable-source-maps", entry ?? workerEntry()],
		cwd: process.cwd(),
		env: {
			...WORKER_ENVIRONMENT,
			...compiled(),
			...process.env,
			...configEnvironment(config),
			TEMPORAL_ADDRESS: address,
		},
		ipc: true,
		logFile: logFile(config, "worker"),
		failure: "INTERNAL",
		ready: async (said, signal) => {
			const late = sleep(WORKER_READY_MS, undefined, { signal, ref: false }).then(() => {
				throw new LodeError("TIMEOUT", "the worker did not become ready", {
					next: `See ${logFile(config, "worker")}.`,
				});
			});
			await Promise.race([said, late]);
		},
	};
}
