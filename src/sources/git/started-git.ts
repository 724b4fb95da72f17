import { spawn } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";

/** What is run and how: arguments as they are, never through a shell. */
export interface GitStart {
	readonly command: string;
	readonly args: readonly string[];
	readonly cwd: string;
	readonly env: NodeJS.ProcessEnv;
	/** In a session of its own; signals then go to all of it. */
	readonly ownSession: boolean;
	/** False: its standard input is empty. */
	readonly stdin: boolean;
}

/** A process that runs, whoever started it. */
export interface StartedGit {
	/** Undefined where it has none. */
	readonly stdin: Writable | undefined;
	readonly stdout: Readable;
	readonly stderr: Readable;
	/** Its exit code; null where a signal ended it. Rejects where nobody can tell any more. */
	readonly exited: Promise<number | null>;
	/** Does nothing to a process that has ended. */
	signal(name: NodeJS.Signals): void;
	/** Whether this process waits for it before it ends. It does from the start. */
	awaited(yes: boolean): void;
}

/** Rejects with the system's error (`code`: ENOENT, EACCES, EAGAIN, …) where the process could not be started. */
export type StartGit = (start: GitStart) => Promise<StartedGit>;

/** As a child of this process. On Linux its page tables are copied for that: 20 to 100 ms on this thread where it uses some hundred megabytes. */
export const startHere: StartGit = async ({ command, args, cwd, env, ownSession, stdin }) => {
	const child = spawn(command, args, {
		cwd,
		env,
		stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
		windowsHide: true,
		shell: false,
		detached: ownSession,
	});
	const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
	await new Promise<void>((resolve, reject) => {
		child.once("spawn", resolve);
		// It stays: a signal that cannot be sent is told here too.
		child.on("error", reject);
	});
	return {
		stdin: child.stdin ?? undefined,
		stdout: child.stdout as Readable,
		stderr: child.stderr as Readable,
		exited,
		signal(name) {
			if (child.exitCode !== null || child.signalCode !== null) return;
			try {
				if (ownSession && child.pid !== undefined) process.kill(-child.pid, name);
				else child.kill(name);
			} catch {
				// It has ended by itself.
			}
		},
		awaited(yes) {
			hold(child, yes);
			for (const stream of child.stdio) hold(stream, yes);
		},
	};
};

/** Pipes are sockets, which their types do not say. */
export function hold(handle: object | null | undefined, yes: boolean): void {
	const { ref, unref } = (handle ?? {}) as { ref?(): void; unref?(): void };
	(yes ? ref : unref)?.call(handle);
}
