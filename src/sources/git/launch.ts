import type { Socket } from "node:net";
import process from "node:process";
import { type GitStart, hold, type StartedGit } from "./started-git.js";

export interface LaunchPort {
	signal(name: NodeJS.Signals): void;
	/** Whether this process waits for the launcher's word on it. */
	awaited(yes: boolean): void;
}

/** A git that the launcher was asked for. It is there once the launcher has said that it runs and its streams have connected, in whatever order. */
export class Launch {
	readonly #begun = Promise.withResolvers<StartedGit | undefined>();
	readonly #exited = Promise.withResolvers<number | null>();
	readonly #streams: Socket[] = [];
	readonly #numbers: readonly number[];
	#pid: number | undefined;
	#running = false;
	#over = false;
	#held = false;

	constructor(
		private readonly start: GitStart,
		private readonly launcher: LaunchPort,
	) {
		this.#numbers = start.stdin ? [0, 1, 2] : [1, 2];
		// Nobody hears it where the start itself is what failed.
		this.#exited.promise.catch(() => {});
		this.#hold(true);
	}

	/** Undefined where the launcher was lost before it said so. Rejects with the system's error where git could not be started. */
	get begun(): Promise<StartedGit | undefined> {
		return this.#begun.promise;
	}

	/** One of its streams has connected. */
	join(number: number, socket: Socket): void {
		if (!this.#numbers.includes(number) || this.#streams[number] !== undefined) {
			socket.destroy();
			return;
		}
		this.#streams[number] = socket;
		// Nothing comes but its end.
		if (number === 0) socket.resume();
		this.#advance();
	}

	started(pid: number): void {
		this.#pid = pid;
		this.#advance();
	}

	failed(code: string | undefined, message: string): void {
		this.#end();
		this.#begun.reject(Object.assign(new Error(message), { code }));
		this.#destroyStreams();
	}

	exited(code: number | null): void {
		this.#end();
		this.#exited.resolve(code);
		this.#drain();
	}

	/** Nobody will say how it ends, so it is ended. */
	lost(): void {
		if (!this.#over && this.#pid !== undefined) {
			try {
				process.kill(this.start.ownSession ? -this.#pid : this.#pid, "SIGTERM");
			} catch {
				// It has ended by itself.
			}
		}
		this.#end();
		this.#destroyStreams();
		this.#begun.resolve(undefined);
		this.#exited.reject(new Error("the process that starts git was lost"));
	}

	#advance(): void {
		if (this.#running || this.#pid === undefined || this.#numbers.some((number) => this.#streams[number] === undefined))
			return;
		this.#running = true;
		const [stdin, stdout, stderr] = this.#streams as [Socket | undefined, Socket, Socket];
		this.#begun.resolve({
			stdin,
			stdout,
			stderr,
			exited: this.#exited.promise,
			signal: (name) => {
				if (!this.#over) this.launcher.signal(name);
			},
			awaited: (yes) => {
				this.#hold(yes);
				for (const stream of this.#streams) hold(stream, yes);
			},
		});
		this.#drain();
	}

	/** What nobody reads any more would stay open. */
	#drain(): void {
		if (!this.#running || !this.#over) return;
		setImmediate(() => {
			for (const stream of this.#streams.slice(1)) if (stream.readable) stream.resume();
		});
	}

	#destroyStreams(): void {
		for (const stream of this.#streams) stream?.destroy();
	}

	#hold(yes: boolean): void {
		if (this.#held === yes || this.#over) return;
		this.#held = yes;
		this.launcher.awaited(yes);
	}

	#end(): void {
		this.#hold(false);
		this.#over = true;
	}
}
