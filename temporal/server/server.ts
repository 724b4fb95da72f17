import getPort from "get-port";
import { LodeError } from "../../src/domain/errors.js";
import { serverPorts } from "../../src/domain/server-ports.js";
import { SEARCH_ATTRIBUTES } from "./search-attributes.js";

/** Only this machine may talk to the server: it has no authentication. */
const LOCALHOST = "127.0.0.1";

export interface TemporalPorts {
	readonly grpc: number;
	readonly ui: number;
}

export interface TemporalServer {
	readonly address: string;
	readonly uiAddress: string;
	readonly command: string;
	readonly args: readonly string[];
	/** The working folder: the database's name is relative to it. */
	readonly cwd: string;
}

/** Free ports, different from each other. Somebody may take one before it is used: the server then ends with an error. */
export async function freePorts(): Promise<TemporalPorts> {
	try {
		const free = () => getPort({ host: LOCALHOST, port: serverPorts() });
		return { grpc: await free(), ui: await free() };
	} catch (error) {
		throw new LodeError("TEMPORAL_UNAVAILABLE", "finding free ports on 127.0.0.1 failed", { cause: error });
	}
}

/**
 * How to run the development server on a database file in `home`. The file's name is given relative to the home, because the server
 * puts it into a URL without escaping it: a home with `?` or `%` in its path would open another file.
 */
export function temporalServer(options: {
	readonly binary: string;
	readonly home: string;
	readonly namespace: string;
	readonly ports: TemporalPorts;
}): TemporalServer {
	const { binary, home, namespace, ports } = options;
	const args = ["server", "start-dev", "--ip", LOCALHOST, "--port", String(ports.grpc)];
	args.push("--ui-ip", LOCALHOST, "--ui-port", String(ports.ui), "--db-filename", "temporal.db");
	args.push("--log-level", "error", "--log-format", "json");
	// A 2xx to a webhook means "on disk": 2 is FULL, which syncs every transaction.
	args.push("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=2");
	for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) args.push("--search-attribute", `${name}=${type}`);
	// Off by default in the server. Spares a trip through matching for each activity of a workflow task that the same worker can take.
	args.push("--dynamic-config-value", "system.enableActivityEagerExecution=true");
	// One worker process polls: further partitions only forward its polls to each other.
	args.push("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1");
	args.push("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1");
	// The server reads its queues of tasks and timers at most 20 times a second by default; once that is used up, every activity and workflow
	// task waits up to 50 ms. With the one shard of the development server that is the bound of a small commit.
	args.push("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000");
	args.push("--dynamic-config-value", "history.timerProcessorMaxPollRPS=2000");
	if (namespace !== "default") args.push("--namespace", namespace);
	return {
		address: `${LOCALHOST}:${ports.grpc}`,
		uiAddress: `http://${LOCALHOST}:${ports.ui}`,
		command: binary,
		args,
		cwd: home,
	};
}
