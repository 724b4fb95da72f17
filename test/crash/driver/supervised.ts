import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface Program {
	readonly name: string;
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** What it says on standard error, of all its lives. */
	readonly logFile: string;
}

const PAUSE_MS = 300;
const STOP_MS = 40_000;

/** A Node program that is started again whenever it ends, as a service manager would. It prints a line when it is ready. */
export class Supervised {
	#child: ChildProcess | undefined;
	#stopping = false;
	#held = false;
	#ready: Promise<void> = Promise.resolve();
	#loop: Promise<void> = Promise.resolve();
	starts = 0;

	constructor(private readonly program: Program) {
		// When this process ends before its time, nothing is left running; `lode dev` ends its own in order.
		process.on("exit", () => {
			this.#child?.kill("SIGTERM");
			this.#child?.kill("SIGCONT");
		});
	}

	get pid(): number | undefined {
		return this.#child?.pid;
	}

	/** Resolves at its first ready line. @throws where its first start fails */
	async start(): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			this.#loop = this.#run(resolve, reject);
		});
	}

	/** Until `release` it stays down once it ends. */
	hold(): void {
		this.#held = true;
	}

	release(): void {
		this.#held = false;
	}

	signal(signal: NodeJS.Signals): boolean {
		return this.#child?.kill(signal) ?? false;
	}

	/** SIGKILL, and waits for its end. */
	async kill(): Promise<void> {
		const child = this.#child;
		if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
		const ended = once(child, "exit");
		child.kill("SIGKILL");
		await ended;
	}

	/** When the life that runs now, or the next one, is ready. */
	async ready(): Promise<void> {
		for (;;) {
			const life = this.starts;
			await this.#ready.catch(() => undefined);
			if (
				this.starts === life &&
				this.#child !== undefined &&
				this.#child.exitCode === null &&
				this.#child.signalCode === null
			)
				return;
			await sleep(100);
		}
	}

	async stop(): Promise<void> {
		this.#stopping = true;
		this.#held = false;
		const child = this.#child;
		if (child !== undefined && child.exitCode === null && child.signalCode === null) {
			child.kill("SIGCONT");
			child.kill("SIGTERM");
			const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
			await once(child, "exit");
			clearTimeout(timer);
		}
		await this.#loop;
	}

	async #run(ready: () => void, failed: (error: unknown) => void): Promise<void> {
		for (let life = 0; !this.#stopping; life += 1) {
			while (this.#held && !this.#stopping) await sleep(20);
			if (this.#stopping) return;
			const child = this.#spawn();
			const exited = once(child, "exit");
			this.#ready = Promise.race([
				once(child.stdout as NonNullable<typeof child.stdout>, "data").then(() => undefined),
				exited.then(([code]) =>
					Promise.reject(new Error(`${this.program.name} ended with ${code}; see ${this.program.logFile}`)),
				),
			]);
			this.#ready.then(ready, life === 0 ? failed : () => undefined);
			await exited;
			this.#child = undefined;
			await sleep(PAUSE_MS);
		}
	}

	#spawn(): ChildProcess {
		const { args, env, logFile } = this.program;
		const log = openSync(logFile, "a");
		try {
			const child = spawn(process.execPath, [...args], { env, stdio: ["ignore", "pipe", log] });
			child.stdout?.resume();
			this.#child = child;
			this.starts += 1;
			return child;
		} finally {
			closeSync(log);
		}
	}
}
