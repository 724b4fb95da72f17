import { type Config, loadConfig } from "../config/config.js";
import { redact } from "../config/secret.js";
import { createLog, type Log } from "../observability/log/create-log.js";
import { startTracing } from "../observability/tracing/start-tracing.js";
import { followParent } from "../runtime/parent.js";
import type { HttpServer } from "./http-server.js";

/** What listening fails with where the place is the problem. */
const PLACE = new Set(["EADDRINUSE", "EACCES", "EADDRNOTAVAIL", "ENOTFOUND"]);

/** The process around a server: configuration, log, an end in order, and one clear message where it cannot start. `place`: settings. `service`: its name in traces. */
export async function runServer(
	place: string,
	service: string,
	start: (config: Config, log: Log) => Promise<HttpServer>,
): Promise<void> {
	// A line that cannot be written must not end it.
	process.stderr.on("error", () => undefined);
	try {
		const { config } = loadConfig();
		const tracing = await startTracing(config, service);
		const server = await start(config, createLog(config.log));
		followParent({
			home: config.home,
			async shutdown() {
				await server.close();
				await tracing?.close();
			},
		});
		process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, url: server.url })}\n`);
	} catch (error) {
		const { code = "INTERNAL", message, next } = error as { code?: string; message: string; next?: string };
		process.stderr.write(`${redact(`${code}: ${message}`)}\n`);
		if (next !== undefined) process.stderr.write(`${redact(next)}\n`);
		else if (PLACE.has(code)) process.stderr.write(`Set ${place} to where it can listen.\n`);
		process.exit(code === "CONFIG_INVALID" ? 2 : 1);
	}
}
