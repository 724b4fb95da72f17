import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { LodeError } from "../../domain/errors.js";

/** Enough of git's messages to find the cause in, and a bound against a server that talks for ever. */
const STDERR_BYTES = 32 * 1024;
const OUTPUT_BYTES = 64 * 1024 * 1024;
const KILL_AFTER_MS = 3_000;

export interface GitCall {
	readonly env: NodeJS.ProcessEnv;
	/** An existing folder; git's own choice of repository comes from `--git-dir` or `-C`. */
	readonly cwd: string;
	readonly signal?: AbortSignal;
	/** Written to standard input, which is then closed. */
	readonly input?: string;
	/** Called with what git reports while it works. */
	readonly onProgress?: (text: string) => void;
	/** Ends the process when it has been silent that long. Milliseconds. */
	readonly silenceMs?: number;
	/** In a session of its own: ssh finds no terminal to ask on, and its helpers end with it. */
	readonly detached?: boolean;
}

export interface GitResult {
	/** 0: it worked. Null: a signal ended it. */
	readonly code: number | null;
	readonly stdout: Buffer;
	readonly stderr: string;
}

export interface GitProcess {
	readonly stdin: Writable;
	readonly stdout: Readable;
	/** Settles when it ended and its output is read or destroyed. Rejects when it could not be started, was cancelled or fell silent. */
	readonly ended: Promise<{ code: number | null; stderr: string }>;
	/** Ends it now; `ended` still settles. */
	kill(): void;
	/** Whether this process waits for it before it ends. It does from the start. */
	awaited(yes: boolean): void;
}

/** Runs the `git` command: arguments as they are, never through a shell. */
export class GitCommand {
	readonly #git: string;

	constructor(git = "git") {
		this.#git = git;
	}

	/** Runs to its end, whatever its exit code. */
	async run(args: readonly string[], call: GitCall): Promise<GitResult> {
		const running = this.start(args, call);
		running.stdin.end(call.input ?? "");
		const chunks: Buffer[] = [];
		let size = 0;
		running.stdout.on("data", (chunk: Buffer) => {
			size += chunk.length;
			if (size > OUTPUT_BYTES) running.kill();
			else chunks.push(chunk);
		});
		const { code, stderr } = await running.ended;
		if (size > OUTPUT_BYTES) throw new LodeError("REPOSITORY_UNREADABLE", `git ${verb(args)} answered with too much.`);
		return { code, stdout: Buffer.concat(chunks), stderr };
	}

	start(args: readonly string[], call: GitCall): GitProcess {
		if (call.signal?.aborted) throw cancelled(args, call.signal);
		const ownSession = call.detached === true && process.platform !== "win32";
		const child = spawn(this.#git, args, {
			cwd: call.cwd,
			env: call.env,
			stdio: ["pipe", "pipe", "pipe"],
			windowsHide: true,
			shell: false,
			detached: ownSession,
		});
		const kill = (): void => end(child, ownSession);
		// A process that ended before it read everything is seen by its exit code.
		child.stdin.on("error", () => {});
		child.stdout.on("error", () => {});
		let stderr = "";
		let silent = false;
		let silence: NodeJS.Timeout | undefined;
		const heard = (): void => {
			if (call.silenceMs === undefined) return;
			clearTimeout(silence);
			silence = setTimeout(() => {
				silent = true;
				kill();
			}, call.silenceMs);
		};
		heard();
		child.stderr.setEncoding("utf8");
		child.stderr.on("data", (text: string) => {
			heard();
			stderr = keepEnds(stderr + text);
			call.onProgress?.(text);
		});
		if (call.silenceMs !== undefined) child.stdout.on("data", heard);
		call.signal?.addEventListener("abort", kill, { once: true });
		const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
			child.once("error", (error) => {
				if (child.pid === undefined) reject(notStarted(this.#git, error));
			});
			child.once("close", (code) => {
				if (call.signal?.aborted) reject(cancelled(args, call.signal));
				else if (silent) {
					reject(
						new LodeError("SOURCE_UNAVAILABLE", `git ${verb(args)} heard nothing from the other side for too long.`, {
							next: "Check the connection and try again.",
						}),
					);
				} else resolve({ code, stderr });
			});
		}).finally(() => {
			clearTimeout(silence);
			call.signal?.removeEventListener("abort", kill);
		});
		// Callers that stop early never await it.
		ended.catch(() => {});
		const awaited = (yes: boolean): void => {
			// Pipes are sockets, which their types do not say.
			const handles = [child, child.stdin, child.stdout, child.stderr] as readonly { ref?(): void; unref?(): void }[];
			for (const handle of handles) yes ? handle.ref?.() : handle.unref?.();
		};
		return { stdin: child.stdin, stdout: child.stdout, ended, kill, awaited };
	}

	/** Its standard output as it comes. `failed` turns a bad exit into an error. Stopping early ends the process. */
	async *output(
		args: readonly string[],
		call: GitCall,
		failed: (stderr: string) => LodeError,
	): AsyncGenerator<Buffer, void, undefined> {
		const running = this.start(args, call);
		running.stdin.end(call.input ?? "");
		let complete = false;
		try {
			for await (const chunk of running.stdout) yield chunk as Buffer;
			complete = true;
		} catch (error) {
			running.kill();
			// Says why, where it was ended from here; the stream only says that it was cut.
			await running.ended;
			throw error;
		} finally {
			if (!complete) running.kill();
		}
		const { code, stderr } = await running.ended;
		if (code !== 0) throw failed(stderr);
	}
}

/** The beginning, where the cause stands, and the end, where the verdict stands. */
function keepEnds(text: string): string {
	if (text.length <= STDERR_BYTES) return text;
	return `${text.slice(0, STDERR_BYTES / 4)}\n${text.slice(-STDERR_BYTES / 2)}`;
}

/** Politely first: git then removes its lock files and half-written packs. */
function end(child: ChildProcess, ownSession: boolean): void {
	const send = (signal: NodeJS.Signals): void => {
		try {
			if (ownSession && child.pid !== undefined) process.kill(-child.pid, signal);
			else child.kill(signal);
		} catch {
			// It has ended by itself.
		}
	};
	if (child.exitCode !== null || child.signalCode !== null) return;
	send("SIGTERM");
	child.stdout?.destroy();
	const hard = setTimeout(() => send("SIGKILL"), KILL_AFTER_MS);
	hard.unref();
	child.once("exit", () => clearTimeout(hard));
}

/** The git sub-command: the only part of the arguments that a message may show. */
function verb(args: readonly string[]): string {
	const valued = args[0] === "-C" ? 2 : 0;
	return args.slice(valued).find((arg) => !arg.startsWith("-")) ?? "";
}

export function cancelled(args: readonly string[], signal: AbortSignal): LodeError {
	return new LodeError("CANCELLED", `git ${verb(args)} was cancelled.`, { cause: signal.reason });
}

function notStarted(git: string, error: Error): LodeError {
	const code = (error as NodeJS.ErrnoException).code;
	if (code === "ENOENT" || code === "EACCES") {
		return new LodeError("SOURCE_UNAVAILABLE", `The git command (${git}) could not be started.`, {
			next: "Install git 2.32 or newer and make sure that it is on PATH: https://git-scm.com/downloads",
			cause: error,
		});
	}
	return new LodeError(
		"SOURCE_UNAVAILABLE",
		"The git command could not be started: the system is short of resources.",
		{
			cause: error,
		},
	);
}
