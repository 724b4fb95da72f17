import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Launch } from "./launch.js";
import type { FromLauncher, ToLauncher } from "./launcher-messages.js";
import { type GitStart, hold, type StartedGit, type StartGit, startHere } from "./started-git.js";
import { greeted } from "./stream-greetings.js";

/** It starts git within milliseconds. One that has not answered by then is stopped or hangs. */
const ANSWER_MS = 30_000;
/** After one was lost: until then git is started here. */
const AGAIN_MS = 5_000;
/** A process that starts no more, as most commands, is served sooner without one. */
const STARTED_HERE = 8;
/** It holds no data: its heap stays as small as when it began. */
const FLAGS = ["--max-old-space-size=64", "--max-semi-space-size=1"];

/**
 * Starts git through a small process, so that a large one need not be copied for it. The first few, and all while that process is not ready or
 * cannot be had, are started here. On Linux only: elsewhere a start costs nothing that grows.
 */
export class GitLauncher {
	#life: Life | undefined;
	#making: Promise<void> | undefined;
	#notBefore = 0;
	#starts = 0;
	#closed = false;

	readonly start: StartGit = async (start) => {
		const life = this.#life;
		if (life === undefined || life.lost) {
			this.#starts += 1;
			if (this.#starts > STARTED_HERE) this.#make();
			return startHere(start);
		}
		return (await life.start(start)) ?? startHere(start);
	};

	/** Ends it and the gits that it started. Later ones are started here. */
	async close(): Promise<void> {
		this.#closed = true;
		await this.#making;
		await this.#life?.end();
	}

	#make(): void {
		if (process.platform !== "linux" || this.#closed || this.#making || Date.now() < this.#notBefore) return;
		this.#notBefore = Date.now() + AGAIN_MS;
		this.#making = Life.begin()
			.then((life) => {
				this.#life = life;
			})
			// No folder for a socket, no memory for a process: git is started as if there were no launcher.
			.catch(() => {})
			.finally(() => {
				this.#making = undefined;
			});
	}
}

/** One launcher process, from its start to its end. */
class Life {
	readonly #launches = new Map<number, Launch>();
	/** By the keys of their streams, until all of these have connected. */
	readonly #connecting = new Map<string, Launch>();
	readonly #gone = Promise.withResolvers<void>();
	#last = 0;
	#awaited = 0;
	lost = false;

	private constructor(
		private readonly child: ChildProcess,
		private readonly folder: string,
		private readonly server: Server,
	) {
		child.once("exit", () => this.#lose());
		child.on("error", () => {
			if (child.pid === undefined) this.#lose();
		});
		child.on("message", (message: FromLauncher) => this.#hear(message));
		server.on("connection", (socket) =>
			greeted(socket, (key, stream) => {
				const launch = this.#connecting.get(key);
				if (launch === undefined) socket.destroy();
				else launch.join(stream, socket);
			}),
		);
		hold(child, false);
		hold(child.channel, false);
	}

	/** Resolves when it can be told to start something. Rejects where there can be none. */
	static async begin(): Promise<Life> {
		const folder = await mkdtemp(path.join(tmpdir(), "lode-git-"));
		const server = createServer();
		try {
			const socket = path.join(folder, "s");
			await new Promise<void>((resolve, reject) => {
				server.once("error", reject);
				server.listen(socket, resolve);
			});
			server.unref();
			const child = spawn(process.execPath, [...FLAGS, ENTRY, socket], {
				stdio: ["ignore", "ignore", "inherit", "ipc"],
				// Away from Ctrl-C on the terminal: whoever asked it decides what ends.
				detached: true,
				cwd: path.parse(folder).root,
				env: launcherEnvironment(),
			});
			const life = new Life(child, folder, server);
			const ready = new Promise<void>((resolve) => child.once("message", () => resolve()));
			await Promise.race([ready, life.#gone.promise]);
			if (life.lost) throw new Error("the process that starts git has ended");
			return life;
		} catch (error) {
			server.close();
			await rm(folder, { recursive: true, force: true });
			throw error;
		}
	}

	/** Undefined where the launcher was lost before it said that git runs. */
	async start(start: GitStart): Promise<StartedGit | undefined> {
		const id = ++this.#last;
		const key = randomBytes(16).toString("hex");
		const launch = new Launch(start, {
			signal: (signal) => this.#tell({ type: "signal", id, signal }),
			awaited: (yes) => this.#await(yes),
		});
		this.#launches.set(id, launch);
		this.#connecting.set(key, launch);
		const late = setTimeout(() => this.child.kill("SIGKILL"), ANSWER_MS);
		this.#tell({ type: "launch", id, key, ...start });
		try {
			return await launch.begun;
		} finally {
			clearTimeout(late);
			this.#connecting.delete(key);
		}
	}

	async end(): Promise<void> {
		if (!this.lost) {
			hold(this.child, true);
			if (this.child.connected) this.child.disconnect();
		}
		await this.#gone.promise;
	}

	#tell(message: ToLauncher): void {
		// Where it cannot be told it is about to be lost.
		if (this.child.connected) this.child.send(message, () => {});
	}

	#hear(message: FromLauncher): void {
		if (message.type === "ready") return;
		const launch = this.#launches.get(message.id);
		if (message.type === "started") {
			launch?.started(message.pid);
			return;
		}
		this.#launches.delete(message.id);
		if (message.type === "failed") launch?.failed(message.code, message.message);
		else launch?.exited(message.code);
	}

	#await(yes: boolean): void {
		this.#awaited += yes ? 1 : -1;
		hold(this.child.channel, this.#awaited > 0);
	}

	#lose(): void {
		this.lost = true;
		for (const launch of new Set([...this.#launches.values(), ...this.#connecting.values()])) launch.lost();
		this.#launches.clear();
		this.server.close();
		void rm(this.folder, { recursive: true, force: true }).catch(() => {});
		this.#gone.resolve();
	}
}

/** Compiled, it is JavaScript; run from source (tests), Node strips its types. */
const ENTRY = fileURLToPath(
	new URL(`./launcher-process.${fileURLToPath(import.meta.url).endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
);

/** What Node itself may need. Each git gets an environment of its own, over the channel. */
function launcherEnvironment(): NodeJS.ProcessEnv {
	const names = ["PATH", "LD_LIBRARY_PATH", "LANG", "TZ"];
	return Object.fromEntries(
		names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
	);
}
