import { readFileSync } from "node:fs";
import type { CliDependencies } from "./cli.js";
import { run } from "./run.js";

/** `npm run lode` starts in the project's folder, wherever the user is: npm says where that was. */
function currentFolder(): string {
	const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
	return script === "lode" && folder ? folder : process.cwd();
}

/** The real ones. Nothing of them is loaded before a command asks for it. */
export function realDependencies(): CliDependencies {
	return {
		io: {
			stdin: process.stdin,
			stdout: process.stdout,
			stderr: process.stderr,
			env: process.env,
			cwd: currentFolder(),
			signals: process,
		},
		openReader: async (config) => (await import("../wiring.js")).openReader(config),
		openCommander: async (config, options) => {
			const { startTracing } = await import("../observability/tracing/start-tracing.js");
			const tracing = await startTracing(config, "lode-cli");
			const commander = await (await import("../wiring.js")).openCommander(config, options);
			if (tracing === undefined) return commander;
			const { tracedCommander } = await import("../observability/tracing/traced-commander.js");
			return tracedCommander(commander, tracing, process.env.TRACEPARENT);
		},
		openEvents: async (config) => (await import("../wiring.js")).openEvents(config),
		openServices: async (...args) => (await import("../wiring.js")).openApiServices(...args),
		openKeys: async (config) => (await import("../wiring.js")).openKeys(config),
		withRuntime: async (config, ...rest) => {
			if (config.plugins !== undefined) await (await import("../wiring.js")).checkPlugins(config);
			return (await import("../runtime/runtime.js")).withRuntime(config, ...rest);
		},
		probeEmbeddings: async (config) => (await import("../wiring.js")).probeProvider(config),
		checkServers: async (config) => (await import("../wiring.js")).checkServers(config),
		rebuild: async (...args) => (await import("../wiring.js")).rebuildStores(...args),
		migrateServers: async (...args) => (await import("../wiring.js")).migrateServers(...args),
		keepSchedules: async (config, options) => (await import("../wiring.js")).keepSchedules(config, options),
		startApi: async (...args) => (await import("../runtime/api-child.js")).startApi(...args),
		runningRuntime: async (home) => (await import("../runtime/runtime.js")).runningRuntime(home),
		mcp: async () => {
			const [{ serveMcpStdio }, { serveMcpHttp }] = await Promise.all([
				import("../mcp/serve-stdio.js"),
				import("../mcp/serve-http.js"),
			]);
			const { stdin, stdout, stderr } = process;
			return {
				stdio: (options, signal) => serveMcpStdio({ ...options, stdin, stdout, stderr }, signal),
				http: serveMcpHttp,
			};
		},
	};
}

function version(): string {
	// From dist/src/cli; the file is shipped beside dist.
	const file = new URL("../../../package.json", import.meta.url);
	const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
	return version;
}

/** Waits for what is still in the pipe: ending a process drops it. */
export function flush(stream: NodeJS.WriteStream): Promise<void> {
	return new Promise((resolve) => {
		if (stream.writableLength === 0) resolve();
		else stream.write("", () => resolve());
	});
}

export async function main(): Promise<void> {
	// `lode search x | head` closes the pipe early: that is no failure.
	process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
	const code = await run(process.argv.slice(2), realDependencies(), version());
	await Promise.all([flush(process.stdout), flush(process.stderr)]);
	// Not left to the event loop: a client's idle connection must not keep a finished command alive.
	process.exit(code);
}
