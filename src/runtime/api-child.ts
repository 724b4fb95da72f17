import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import getPort from "get-port";
import { type Config, configEnvironment } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import { serverPorts } from "../domain/server-ports.js";
import { Supervisor } from "./supervisor.js";

/** Loading it on a busy machine; normally two seconds. */
const READY_MS = 60_000;

export interface RunningApi {
	readonly url: string;
	stop(): Promise<void>;
}

/**
 * The HTTP API as a child of this process, which it outlives by a moment only; restarted when it dies. Writes go to the Temporal server at
 * `address`. @throws what keeps it from starting, e.g. that its port is taken
 */
export async function startApi(
	config: Config,
	{
		address,
		explorer,
		signal,
	}: { readonly address: string; readonly explorer: boolean; readonly signal?: AbortSignal },
	report: (line: string) => void,
): Promise<RunningApi> {
	const entry = fileURLToPath(new URL("../../api.js", import.meta.url));
	if (!existsSync(entry)) {
		throw new LodeError("INTERNAL", `the API program ${entry} is missing`, { next: "Run `npm run build`." });
	}
	const { host } = config.api;
	// Restarted, it has to be where it was.
	const port = config.api.port === 0 ? await getPort({ host, port: serverPorts() }) : config.api.port;
	const logFile = join(config.home, "logs", "api.log");
	const supervisor = new Supervisor({ report, recorded: async () => {}, attempts: 1 });
	const late = new AbortController();
	try {
		await supervisor.start(
			{
				name: "API",
				command: process.execPath,
				args: ["--enable-source-maps", entry],
				cwd: process.cwd(),
				env: {
					...process.env,
					...configEnvironment(config),
					TEMPORAL_ADDRESS: address,
					LODE_API_PORT: String(port),
					LODE_API_EXPLORER: String(explorer || config.api.explorer),
				},
				ipc: true,
				logFile,
				failure: "INTERNAL",
				ready: (said, ended) =>
					Promise.race([
						said,
						sleep(READY_MS, undefined, { signal: AbortSignal.any([ended, late.signal]), ref: false }).then(() => {
							throw new LodeError("TIMEOUT", "the API did not become ready", { next: `See ${logFile}.` });
						}),
					]),
			},
			signal,
		);
	} catch (error) {
		await supervisor.stop();
		throw error;
	} finally {
		late.abort();
	}
	const shown = host.includes(":") ? `[${host}]` : host;
	return { url: `http://${shown}:${port}`, stop: () => supervisor.stop() };
}
