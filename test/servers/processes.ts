import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isSameProcess, processIdentity, UNKNOWN_IDENTITY } from "../../src/runtime/process-identity.js";
import { findBinaries } from "./binaries.js";
import { SERVERS } from "./definitions/table.js";
import type { Prepared, ProcessSpec, ServerAddresses, ServerName, StartOptions } from "./server.js";

/** A process that was started here, and may be ended by whoever reads this. */
export interface Recorded {
	readonly name: string;
	readonly pid: number;
	readonly identity: string;
}

export interface RunningServer<N extends ServerName = ServerName> {
	readonly name: N;
	readonly folder: string;
	readonly addresses: ServerAddresses[N];
	readonly processes: readonly Recorded[];
}

/** Normally one to five seconds; tests share two cores. */
const READY_MS = 120_000;
const POLL_MS = 100;
/** A server that writes its data down before it ends. */
const STOP_MS = 15_000;

/** Chooses ports and credentials for a server whose data will lie in the folder. @throws where programs are missing */
export async function prepareServer<N extends ServerName>(
	name: N,
	folder: string,
	options: StartOptions = {},
): Promise<Prepared<ServerAddresses[N]>> {
	const definition = SERVERS[name];
	const binaries = findBinaries(definition.programs);
	const missing = definition.programs.filter((program) => binaries[program] === undefined);
	if (missing.length > 0)
		throw new Error(`${definition.title} is missing (${missing.join(", ")}): ${definition.howTo}`);
	mkdirSync(folder, { recursive: true });
	// Another user may have to get into it.
	chmodSync(folder, 0o711);
	return definition.prepare(binaries, folder, options) as Promise<Prepared<ServerAddresses[N]>>;
}

/** Starts the processes and waits until they serve. On failure none of them is left. */
export async function startProcesses(
	title: string,
	folder: string,
	prepared: Prepared<unknown>,
	onStarted: (processes: readonly Recorded[]) => void = () => {},
): Promise<readonly Recorded[]> {
	const started: Recorded[] = [];
	let ended: string | undefined;
	try {
		for (const spec of prepared.processes) {
			const child = spawnDetached(spec, folder);
			child.once("exit", (code, signal) => {
				ended ??= `${spec.name} ended with ${signal ?? `code ${code}`}: ${lastLine(join(folder, `${spec.name}.log`))}`;
			});
			child.once("error", (error) => {
				ended ??= error.message;
			});
			if (child.pid === undefined) continue;
			const identity = (await processIdentity(child.pid)) ?? UNKNOWN_IDENTITY;
			started.push({ name: spec.name, pid: child.pid, identity });
			onStarted(started);
		}
		const deadline = performance.now() + READY_MS;
		for (;;) {
			if (ended !== undefined) throw new Error(`${title} did not start: ${ended}`);
			if (await prepared.ready().catch(() => false)) return started;
			if (performance.now() > deadline) throw new Error(`${title} did not get ready; see ${folder}`);
			await sleep(POLL_MS);
		}
	} catch (error) {
		await endProcesses(started, "SIGKILL");
		throw error;
	}
}

/** Outlives this process: the servers of a test run are shared by all of its processes, those of `servers:up` stay. */
function spawnDetached(spec: ProcessSpec, folder: string): ChildProcess {
	const log = openSync(join(folder, `${spec.name}.log`), "a", 0o644);
	try {
		const child = spawn(spec.command, spec.args, {
			cwd: folder,
			env: { PATH: process.env.PATH, HOME: folder, ...spec.env },
			stdio: ["ignore", log, log],
			detached: true,
			...spec.user,
		});
		child.unref();
		return child;
	} finally {
		closeSync(log);
	}
}

function lastLine(file: string): string {
	try {
		return readFileSync(file, "utf8").trim().split("\n").at(-1)?.slice(0, 300) ?? "";
	} catch {
		return "";
	}
}

export async function isRunning(processes: readonly Recorded[]): Promise<boolean> {
	return processes.length > 0 && (await Promise.all(processes.map(isSameProcess))).every(Boolean);
}

/** Ends exactly these, the last started first, and waits until they are gone. */
export async function endProcesses(processes: readonly Recorded[], signal: "SIGTERM" | "SIGKILL"): Promise<void> {
	for (const recorded of [...processes].reverse()) {
		if (!(await isSameProcess(recorded))) continue;
		kill(recorded.pid, signal);
		const deadline = performance.now() + STOP_MS;
		while (await isSameProcess(recorded)) {
			if (performance.now() > deadline) kill(recorded.pid, "SIGKILL");
			await sleep(20);
		}
	}
}

function kill(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
	try {
		process.kill(pid, signal);
	} catch {
		// It ended in between.
	}
}

/** How to start it again on its ports and data: see `startProcesses`. */
export interface StartedServer<N extends ServerName> extends RunningServer<N> {
	readonly prepared: Prepared<ServerAddresses[N]>;
}

/** Starts a server with fresh data in the folder. A port that somebody took meanwhile costs another try. */
export async function startServer<N extends ServerName>(
	name: N,
	folder: string,
	options: StartOptions = {},
	onStarted: (server: RunningServer<N>) => void = () => {},
): Promise<StartedServer<N>> {
	for (let attempt = 1; ; attempt++) {
		const prepared = await prepareServer(name, folder, options);
		const { addresses } = prepared;
		try {
			const processes = await startProcesses(SERVERS[name].title, folder, prepared, (started) =>
				onStarted({ name, folder, addresses, processes: [...started] }),
			);
			return { name, folder, addresses, processes, prepared };
		} catch (error) {
			if (attempt === 3) throw error;
			rmSync(folder, { recursive: true, force: true });
		}
	}
}

/** Ends a server and deletes its data. */
export async function destroyServer(server: RunningServer): Promise<void> {
	// Nobody reads the data again, so nothing has to be written down.
	await endProcesses(server.processes, "SIGKILL");
	rmSync(server.folder, { recursive: true, force: true, maxRetries: 5 });
}
