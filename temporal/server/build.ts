import { spawn } from "node:child_process";
import { join } from "node:path";

const PROGRESS_MS = 5_000;
const TIMEOUT_MS = 20 * 60_000;

export interface BuildOptions {
	readonly version: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly platform: NodeJS.Platform;
	/** An empty folder of our own. */
	readonly into: string;
	readonly signal: AbortSignal | undefined;
	report(line: string): void;
}

/** Compiles the server with the Go toolchain on PATH: 2 to 3 minutes on two cores. Returns the program's path. Throws plain errors. */
export async function buildTemporal(options: BuildOptions): Promise<string> {
	const env: NodeJS.ProcessEnv = { ...options.env, GOBIN: options.into, CGO_ENABLED: "0" };
	// What a user set for own builds (-mod=vendor, another platform) must not shape this one.
	for (const name of ["GOFLAGS", "GOOS", "GOARCH", "GO111MODULE", "GOWORK"]) delete env[name];
	const started = performance.now();
	const target = `github.com/temporalio/cli/cmd/temporal@v${options.version}`;
	await new Promise<void>((resolve, reject) => {
		const go = spawn("go", ["install", target], {
			cwd: options.into,
			env,
			stdio: ["ignore", "ignore", "pipe"],
			windowsHide: true,
			signal: options.signal,
			timeout: TIMEOUT_MS,
		});
		let last = "";
		go.stderr.setEncoding("utf8").on("data", (text: string) => {
			last = (last + text).slice(-2_000);
		});
		let progress: NodeJS.Timeout | undefined;
		go.once("spawn", () => {
			options.report(`Building the Temporal server ${options.version} with Go; this takes 2 to 3 minutes, once …`);
			progress = setInterval(() => {
				const seconds = Math.round((performance.now() - started) / 1_000);
				options.report(`Building the Temporal server: ${seconds} s`);
			}, PROGRESS_MS);
		});
		go.once("error", (error: NodeJS.ErrnoException) => {
			clearInterval(progress);
			reject(error.code === "ENOENT" ? new Error("there is no `go` on PATH") : error);
		});
		go.once("close", (code, signal) => {
			clearInterval(progress);
			if (code === 0) return resolve();
			const reason = last.trim().split("\n").at(-1) ?? "";
			reject(new Error(`it ended with ${signal ?? `code ${code}`}${reason === "" ? "" : `: ${reason}`}`));
		});
	});
	return join(options.into, options.platform === "win32" ? "temporal.exe" : "temporal");
}
