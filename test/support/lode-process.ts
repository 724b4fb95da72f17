import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export interface CliResult {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

export function environment(home: string, extra: Record<string, string>): NodeJS.ProcessEnv {
	const inherited = Object.entries(process.env).filter(
		([name]) => !/^(LODE_|TEMPORAL_|OTEL_|TRACEPARENT|VITEST|NODE_OPTIONS|GIT_)/.test(name),
	);
	// A source that looks at its branch by itself would add commits to what a test asked for.
	return {
		...Object.fromEntries(inherited),
		LODE_HOME: home,
		LODE_RECONCILE_EVERY: "0",
		LODE_ARCHIVE_EVERY: "0",
		...extra,
		...cacheOf(),
	};
}

/** The server binary that the machine has is used; the rest of the environment stays out. */
function cacheOf(): Record<string, string> {
	return process.env.LODE_CACHE_DIR ? { LODE_CACHE_DIR: process.env.LODE_CACHE_DIR } : {};
}

export interface LodeRunOptions {
	readonly cwd?: string;
	readonly user?: number;
	readonly onStart?: (child: ChildProcess) => void;
	/** Default: two minutes. */
	readonly timeoutMs?: number;
}

/**
 * Runs the built CLI as a user would, in `cwd`; stops it after a while. `onStart` gets the process, to send it signals; `user` is
 * the number of another one to run as, which root may choose.
 */
export async function lode(
	home: string,
	args: readonly string[],
	extra: Record<string, string> = {},
	{ cwd, user, onStart, timeoutMs = 120_000 }: LodeRunOptions = {},
): Promise<CliResult> {
	const child = spawn(process.execPath, [MAIN, ...args], {
		env: environment(home, extra),
		stdio: ["ignore", "pipe", "pipe"],
		...(cwd === undefined ? {} : { cwd }),
		...(user === undefined ? {} : { uid: user, gid: user }),
	});
	onStart?.(child);
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (data) => {
		stdout += data;
	});
	child.stderr.on("data", (data) => {
		stderr += data;
	});
	const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
	const [code] = (await once(child, "close")) as [number | null];
	clearTimeout(timer);
	return { code: code ?? -1, stdout, stderr };
}

/** Runs `lode … --json` and returns what it printed. Throws with its error output when it fails. */
export async function lodeJson<T>(
	home: string,
	args: readonly string[],
	extra: Record<string, string> = {},
	options: LodeRunOptions = {},
): Promise<T> {
	const { code, stdout, stderr } = await lode(home, [...args, "--json"], extra, options);
	if (code !== 0) throw new Error(`lode ${args.join(" ")} exited with ${code}: ${stderr}`);
	return JSON.parse(stdout) as T;
}

/** A `lode dev` of the test's own. */
export class DevProcess {
	private constructor(
		readonly home: string,
		private readonly child: ChildProcess,
	) {}

	static async start(home: string, extra: Record<string, string> = {}): Promise<DevProcess> {
		const child = spawn(process.execPath, [MAIN, "dev", "--no-api"], {
			env: environment(home, extra),
			stdio: ["ignore", "pipe", "pipe"],
		});
		let output = "";
		child.stdout?.on("data", (data) => {
			output += data;
		});
		child.stderr?.on("data", (data) => {
			output += data;
		});
		const dev = new DevProcess(home, child);
		for (let waited = 0; waited < 90_000; waited += 100) {
			if (child.exitCode !== null) throw new Error(`lode dev exited with ${child.exitCode}: ${output}`);
			if ((await dev.runtimeAddress()) !== undefined && (await dev.pidOf("worker")) !== undefined) return dev;
			await sleep(100);
		}
		throw new Error(`lode dev did not get ready: ${output}`);
	}

	/** The process id of a supervised child now. */
	async pidOf(name: "worker" | "Temporal"): Promise<number | undefined> {
		const children = await this.#run<{ children: { name: string; pid: number }[] }>("children.json");
		return children?.children.find((child) => child.name === name)?.pid;
	}

	/** SIGKILL to one supervised child; false when there is none at the moment. */
	async kill(name: "worker" | "Temporal"): Promise<boolean> {
		const pid = await this.pidOf(name);
		if (pid === undefined) return false;
		try {
			return process.kill(pid, "SIGKILL");
		} catch {
			return false;
		}
	}

	async stop(): Promise<number> {
		if (this.child.exitCode !== null) return this.child.exitCode;
		this.child.kill("SIGTERM");
		const [code] = (await once(this.child, "close")) as [number | null];
		return code ?? -1;
	}

	async runtimeAddress(): Promise<string | undefined> {
		return (await this.#run<{ address: string }>("runtime.json"))?.address;
	}

	async #run<T>(file: string): Promise<T | undefined> {
		try {
			return JSON.parse(await readFile(join(this.home, "run", file), "utf8")) as T;
		} catch {
			return undefined;
		}
	}
}
