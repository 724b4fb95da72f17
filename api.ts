import { createApi } from "./src/api/create-api.js";
import { loadConfig } from "./src/config/config.js";
import { redact } from "./src/config/secret.js";
import { followParent } from "./src/runtime/parent.js";
import { openReader } from "./src/wiring.js";

/** Starts the HTTP API. Prints `{"ready":true,"url":…}` on standard output when it listens; its log goes to standard error. */
const LEVELS = ["debug", "info", "warn", "error"];
process.stderr.on("error", () => undefined);

try {
	const { config } = loadConfig();
	const lowest = LEVELS.indexOf(config.log.level);
	const log = (line: Readonly<Record<string, unknown>>) => {
		if (LEVELS.indexOf(String(line.level)) < lowest) return;
		process.stderr.write(`${redact(JSON.stringify({ time: new Date().toISOString(), ...line }))}\n`);
	};
	const api = await createApi({ ...config.api, open: () => openReader(config), log });
	followParent({ home: config.home, shutdown: () => api.close() });
	process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, url: api.url })}\n`);
} catch (error) {
	const { code = "INTERNAL", message, next } = error as { code?: string; message: string; next?: string };
	const place = ["EADDRINUSE", "EACCES", "EADDRNOTAVAIL", "ENOTFOUND"].includes(code);
	process.stderr.write(`${redact(`${code}: ${message}`)}\n`);
	if (next !== undefined || place) {
		process.stderr.write(`${redact(next ?? "Set LODE_API_HOST and LODE_API_PORT to where it can listen.")}\n`);
	}
	process.exit(code === "CONFIG_INVALID" ? 2 : 1);
}
