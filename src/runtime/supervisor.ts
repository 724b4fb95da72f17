import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, errorCode, LodeError } from "../domain/errors.js";
import { processIdentity } from "./process-identity.js";
import type { RecordedChild } from "./runtime-file.js";

/** A program that is kept running. */
export interface ChildSpec {
	readonly name: string;
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd: string;
	readonly env: NodeJS.ProcessEnv;
	/**
	 * A Node process that speaks the protocol of parent.ts: it prints one line of JSON with `"ready": true`, gets a channel, and is asked
	 * to stop by a message.
	 */
	readonly ipc: boolean;
	/** Its output is appended here; the file of the run before is kept as `<logFile>.old`. */
	readonly logFile: string;
	/** Resolves when it does its work. `said` resolves at its ready line (`ipc` only). Rejects when it cannot become ready. */
	ready(said: Promise<void>, signal: AbortSignal): Promise<void>;
	/** The code of the error when it does not start. */
	readonly failure: ErrorCode;
}

export interface SupervisorOptions {
	report(line: string): void;
	/** Called whenever the set of running processes changes, and awaited before the new one may be called ready. */
	recorded(children: readonly RecordedChild[]): Promise<void>;
	/** How long a child has to stop by itself. Milliseconds. */
	readonly stopMs?: number;
	/** First pause before a restart; doubles up to 40 times of it. Milliseconds. */
	readonly backoffMs?: number;
	/** A child that dies before it was ever ready is started this many times. */
	readonly attempts?: number;
}

const LOG_KEPT_BYTES = 5 * 1024 * 1024;
/** A child that ran this long was well: the next pause is short again. */
const WELL_MS = 30_000;

/** Keeps programs running: started in order, restarted when they die (never with other arguments), stopped in reverse order. */
export class Supervisor {
	readonly #children: Child[] = [];
	readonly #options: Required<SupervisorOptions>;

	constructor(options: SupervisorOptions) {
		this.#options = { stopMs: 15_000, backoffMs: 250, attempts: 3, ...options };
	}

	/** Resolves when it is ready. @throws the spec's failure, with the last lines of its log, when it does not become so */
	async start(spec: ChildSpec, signal?: AbortSignal): Promise<void> {
		const child = new Child(spec, this.#options, () => this.#record());
		this.#children.push(child);
		await child.start(signal);
	}

	/** The process numbers now, by name. */
	get pids(): Readonly<Record<string, number | undefined>> {
		return Object.fromEntries(this.#children.map((child) => [child.name, child.pid]));
	}

	/** Asks each to stop, last started first, and waits until all are gone. Never throws; any number of times. */
	async stop(): Promise<void> {
		for (const child of this.#children) child.expectEnd();
		for (const child of this.#children.toReversed()) await child.stop();
	}

	/** Ends all at once, without asking. */
	kill(): void {
		for (const child of this.#children) child.kill();
	}

	#record(): Promise<void> {
		return this.#options.recorded(this.#children.flatMap((child) => child.recorded ?? []));
	}
}

class Child {
	#process: ChildProcess | undefined;
	#stopping = false;
	#everReady = false;
	readonly #abort = new AbortController();
	#loop: Promise<void> = Promise.resolve();
	recorded: RecordedChild | undefined;

	constructor(
		private readonly spec: ChildSpec,
		private readonly options: Required<SupervisorOptions>,
		private readonly record: () => Promise<void>,
	) {}

	get name(): string {
		return this.spec.name;
	}

	get pid(): number | undefined {
		return this.#process?.pid;
	}

	start(signal?: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const cancelled = () => {
				this.expectEnd();
				reject(signal?.reason);
			};
			if (signal?.aborted) return cancelled();
			signal?.addEventListener("abort", cancelled, { once: true });
			const settled = () => signal?.removeEventListener("abort", cancelled);
			this.#loop = this.#run(
				() => {
					settled();
					resolve();
				},
				(error) => {
					settled();
					reject(error);
				},
			);
		});
	}

	expectEnd(): void {
		this.#stopping = true;
		this.#abort.abort();
	}

	async stop(): Promise<void> {
		this.expectEnd();
		const child = this.#process;
		if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
			const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
			// A message works everywhere; on Windows a signal would end it without asking.
			if (this.spec.ipc && child.connected) child.send("shutdown", () => undefined);
			else child.kill("SIGTERM");
			const timer = setTimeout(() => child.kill("SIGKILL"), this.options.stopMs);
			await ended;
			clearTimeout(timer);
		}
		await this.#loop;
	}

	kill(): void {
		this.expectEnd();
		this.#process?.kill("SIGKILL");
	}

	async #run(ready: () => void, failed: (error: unknown) => void): Promise<void> {
		let pause = this.options.backoffMs;
		for (let attempt = 1; !this.#stopping; attempt += 1) {
			const started = performance.now();
			const { end, reason } = await this.#once(ready);
			if (this.#stopping) break;
			const hopeless = reason instanceof LodeError && reason.permanent;
			if (!this.#everReady && (hopeless || attempt >= this.options.attempts)) {
				failed(this.#startError(end, reason));
				this.expectEnd();
				break;
			}
			if (performance.now() - started > WELL_MS) pause = this.options.backoffMs;
			this.options.report(`${this.name} ended (${end}); starting it again in ${(pause / 1_000).toFixed(1)} s`);
			await sleep(pause, undefined, { signal: this.#abort.signal }).catch(() => undefined);
			pause = Math.min(pause * 2, this.options.backoffMs * 40);
		}
		failed(new LodeError("CANCELLED", `starting ${this.name} was stopped`));
	}

	/** One life of the process. */
	async #once(ready: () => void): Promise<{ end: string; reason?: unknown }> {
		const { spec } = this;
		const logOffset = rotate(spec.logFile);
		const log = openSync(spec.logFile, "a");
		let child: ChildProcess;
		try {
			child = spawn(spec.command, spec.args, {
				cwd: spec.cwd,
				env: spec.env,
				// Logs go to files, not pipes: a child may outlive this process for a moment, and must not fail on writing then.
				stdio: spec.ipc ? ["ignore", "pipe", log, "ipc"] : ["ignore", log, log],
				// A group of its own: Ctrl-C on the terminal is for this process, which then stops them in order.
				detached: process.platform !== "win32",
				windowsHide: true,
			});
		} finally {
			closeSync(log);
		}
		this.#process = child;
		const gone = new AbortController();
		const signal = AbortSignal.any([this.#abort.signal, gone.signal]);
		let reason: unknown;
		const ended = new Promise<string>((resolve) => {
			child.once("error", (error: NodeJS.ErrnoException) => {
				reason = error;
				if (child.pid === undefined) resolve(error.code ?? error.message);
			});
			child.once("exit", (code, killedBy) => resolve(killedBy ?? `code ${code}`));
		});
		const said = readyMessage(child);
		void ended.then(() => gone.abort());

		if (child.pid !== undefined) {
			const identity = await processIdentity(child.pid);
			try {
				if (identity !== undefined) {
					this.recorded = { name: spec.name, pid: child.pid, identity };
					await this.record();
				}
				await Promise.race([spec.ready(said, signal), rejected(signal)]);
				this.options.report(this.#everReady ? `${spec.name} is running again` : `${spec.name} is ready`);
				this.#everReady = true;
				ready();
			} catch (error) {
				if (!gone.signal.aborted) {
					reason = error;
					child.kill("SIGKILL");
				}
			}
		}
		const end = await ended;
		this.recorded = undefined;
		// A full disk: that it ended is seen from its identity too, and the next start is recorded or does not happen.
		await this.record().catch(() => undefined);
		return { end, reason: reason ?? tail(spec.logFile, logOffset) };
	}

	#startError(end: string, reason: unknown): LodeError {
		if (reason instanceof LodeError) return reason;
		const said = typeof reason === "string" ? saidError(reason) : undefined;
		if (said) return said;
		const detail = reason instanceof Error ? reason.message : typeof reason === "string" ? reason : "";
		return new LodeError(
			this.spec.failure,
			`${this.name} did not start (${end})${detail === "" ? "" : `: ${detail}`}`,
			{ next: `See ${this.spec.logFile}.`, cause: reason },
		);
	}
}

/** A worker that cannot start says why as the CLI does with `--json`. */
function saidError(line: string): LodeError | undefined {
	try {
		const { error } = JSON.parse(line) as { error?: { code?: unknown; message?: unknown; next?: unknown } };
		const code = errorCode(error);
		if (code === undefined) return undefined;
		const next = typeof error?.next === "string" ? error.next : undefined;
		return new LodeError(code, String(error?.message ?? "it did not start"), { next });
	} catch {
		return undefined;
	}
}

/** Its one line of JSON on standard output that holds `"ready": true`. */
function readyMessage(child: ChildProcess): Promise<void> {
	return new Promise((resolve) => {
		if (child.stdout === null) return;
		// An unbounded line would fill the memory; readline has no bound.
		let line = "";
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			const lines = (line + text).split("\n");
			line = (lines.pop() ?? "").slice(-65_536);
			if (lines.some(isReady)) resolve();
		});
	});
}

function isReady(line: string): boolean {
	try {
		const message: unknown = JSON.parse(line);
		return typeof message === "object" && message !== null && "ready" in message && message.ready === true;
	} catch {
		return false;
	}
}

function rejected(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		if (signal.aborted) reject(signal.reason);
		else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
	});
}

/** Where the new log begins. */
function rotate(file: string): number {
	mkdirSync(dirname(file), { recursive: true });
	const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
	if (size < LOG_KEPT_BYTES) return size;
	try {
		renameSync(file, `${file}.old`);
		return 0;
	} catch {
		// Windows keeps a file that somebody reads.
		return size;
	}
}

/** The last line that it wrote, for the error's message. */
function tail(file: string, from: number): string {
	const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
	const start = Math.max(from, size - 2_000);
	if (size <= start) return "";
	const handle = openSync(file, "r");
	try {
		const buffer = Buffer.alloc(size - start);
		readSync(handle, buffer, 0, buffer.length, start);
		return buffer.toString("utf8").trim().split("\n").at(-1)?.slice(0, 1_000) ?? "";
	} finally {
		closeSync(handle);
	}
}
