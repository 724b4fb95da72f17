import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { environment } from "./lode-process.js";

const PROGRAMS = { api: "LODE_API_PORT", gateway: "LODE_WEBHOOK_PORT" } as const;
const fileOf = (program: keyof typeof PROGRAMS) => fileURLToPath(new URL(`../../dist/${program}.js`, import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/** A built server as a process of the test's own, on a free port unless the environment says otherwise. */
export class ApiProcess {
	stderr = "";

	private constructor(
		readonly url: string,
		private readonly child: ChildProcess,
	) {}

	/** @throws with the exit code and what the process said, where it does not start */
	static async start(
		home: string,
		extra: Record<string, string> = {},
		program: keyof typeof PROGRAMS = "api",
	): Promise<ApiProcess> {
		const child = spawn(process.execPath, [fileOf(program)], {
			env: environment(home, { [PROGRAMS[program]]: "0", ...extra }),
			stdio: ["ignore", "pipe", "pipe"],
		});
		let stderr = "";
		child.stderr.on("data", (data) => {
			stderr += data;
			if (api) api.stderr += data;
		});
		let api: ApiProcess | undefined;
		const first = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
		if (typeof first[0] === "number" || first[0] === null) throw new Error(`exit ${first[0]}: ${stderr}`);
		const { url } = JSON.parse(String(first[0])) as { url: string };
		api = new ApiProcess(url, child);
		api.stderr = stderr;
		return api;
	}

	get pid(): number | undefined {
		return this.child.pid;
	}

	async get(
		path: string,
		headers: Record<string, string> = {},
	): Promise<{ status: number; headers: Headers; body: Answer }> {
		const response = await fetch(`${this.url}${path}`, { headers });
		return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
	}

	/** SIGKILL. */
	async kill(): Promise<void> {
		const closed = once(this.child, "close");
		this.child.kill("SIGKILL");
		await closed;
	}

	/** SIGTERM; returns the exit code. */
	async stop(): Promise<number | null> {
		if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
		const closed = once(this.child, "close");
		this.child.kill("SIGTERM");
		return (await closed)[0] as number | null;
	}
}
