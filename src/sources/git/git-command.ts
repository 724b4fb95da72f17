import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { LodeError } from "../../domain/errors.js";
import { type StartedGit, type StartGit, startHere } from "./started-git.js";

/** Enough of git's messages to find the cause in, and a bound against a server that talks for ever. */
const STDERR_BYTES = 32 * 1024;
const OUTPUT_BYTES = 64 * 1024 * 1024;
const KILL_AFTER_MS = 3_000;

export interface GitCall {
	readonly env: NodeJS.ProcessEnv;
	/** An existing folder; git's own choice of repository comes from `--git-dir` or `-C`. */
	readonly cwd: string;
	readonly signal?: AbortSignal;
	/** Written to standard input by `run` and `output`, which then close it. */
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
	/** Of a call that says so (`stdin`) or has input. */
	readonly stdin: Writable | undefined;
	readonly stdout: Readable;
	/**
	 * Settles when it ended and its output is read or destroyed; `code` is null where `kill` ended it. Rejects when it was cancelled, fell silent or
	 * was ended by somebody else.
	 */
	readonly ended: Promise<{ code: number | null; stderr: string }>;
	/** Ends it now; `ended` still settles. */
	kill(): void;
	/** Whether this process waits for it before it ends. It does from the start. */
	awaited(yes: boolean): void;
}

/** Runs the `git` command: arguments as they are, never through a shell. */
export class GitCommand {
	readonly #git: string;
	readonly #start: StartGit;

	/** `start`: what starts processes; default: this process itself. */
	constructor(git = "git", start: StartGit = startHere) {
		this.#git = git;
		this.#start = start;
	}

	/** Runs to its end, whatever its exit code. */
	async run(args: readonly string[], call: GitCall): Promise<GitResult> {
		const running = await this.start(args, call, call.input !== undefined);
		running.stdin?.end(call.input);
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

	/** `stdin`: it gets a standard input; else that is empty. Rejects when it cannot be started or is cancelled before. */
	async start(args: readonly string[], call: GitCall, stdin = true): Promise<GitProcess> {
		if (call.signal?.aborted) throw cancelled(args, call.signal);
		const { cwd, env } = call;
		const ownSession = call.detached === true && process.platform !== "win32";
		const git = await this.#start({ command: this.#git, args, cwd, env, ownSession, stdin }).catch((error: Error) => {
			throw notStarted(this.#git, error);
		});
		let killed = false;
		let over = false;
		const kill = (): void => {
			killed = true;
			if (!over) end(git);
		};
		// A process that ended before it read everything is seen by its exit code.
		git.stdin?.on("error", () => {});
		git.stdout.on("error", () => {});
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
		git.stderr.setEncoding("utf8");
		git.stderr.on("data", (text: string) => {
			heard();
			stderr = keepEnds(stderr + text);
			call.onProgress?.(text);
		});
		if (call.silenceMs !== undefined) git.stdout.on("data", heard);
		call.signal?.addEventListener("abort", kill, { once: true });
		if (call.signal?.aborted) kill();
		const drained = Promise.all([closed(git.stdout), closed(git.stderr)]);
		const wait = async (): Promise<{ code: number | null; stderr: string }> => {
			// Undefined: nobody can tell.
			const code = await git.exited.catch(() => undefined);
			over = true;
			await drained;
			if (call.signal?.aborted) throw cancelled(args, call.signal);
			if (silent) {
				throw new LodeError("SOURCE_UNAVAILABLE", `git ${verb(args)} heard nothing from the other side for too long.`, {
					next: "Check the connection and try again.",
				});
			}
			// Somebody else ended it, such as a system short of memory: that says nothing of the repository.
			if (!killed && typeof code !== "number") {
				throw new LodeError("SOURCE_UNAVAILABLE", `git ${verb(args)} was ended from outside.`, { next: "Try again." });
			}
			return { code: code ?? null, stderr };
		};
		const ended = wait().finally(() => {
			clearTimeout(silence);
			call.signal?.removeEventListener("abort", kill);
		});
		// Callers that stop early never await it.
		ended.catch(() => {});
		return { stdin: git.stdin, stdout: git.stdout, ended, kill, awaited: (yes) => git.awaited(yes) };
	}

	/** Its standard output as it comes. `failed` turns a bad exit into an error. Stopping early ends the process. */
	async *output(
		args: readonly string[],
		call: GitCall,
		failed: (stderr: string) => LodeError,
	): AsyncGenerator<Buffer, void, undefined> {
		const running = await this.start(args, call, call.input !== undefined);
		running.stdin?.end(call.input);
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
function end(git: StartedGit): void {
	git.signal("SIGTERM");
	git.stdout.destroy();
	const hard = setTimeout(() => git.signal("SIGKILL"), KILL_AFTER_MS);
	hard.unref();
	const ended = (): void => clearTimeout(hard);
	git.exited.then(ended, ended);
}

function closed(stream: Readable): Promise<void> {
	return stream.closed ? Promise.resolve() : new Promise((resolve) => stream.once("close", resolve));
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
