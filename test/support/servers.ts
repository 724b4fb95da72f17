import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import lockfile from "proper-lockfile";
import { findBinaries, upFolder } from "../servers/binaries.js";
import { SERVERS } from "../servers/definitions/table.js";
import { Fleet } from "../servers/fleet.js";
import { destroyServer, endProcesses, startProcesses, startServer } from "../servers/processes.js";
import type { ServerAddresses, ServerName, StartOptions } from "../servers/server.js";

/** Set by the run's global set-up: where the servers of this run lie. */
export const RUN_FOLDER = "LODE_TEST_SERVERS_FOLDER";

function runFleet(): Fleet {
	const folder = process.env[RUN_FOLDER];
	if (folder === undefined) throw new Error("test/support/server-fleet.ts is not among Vitest's global set-ups");
	return new Fleet(folder);
}

const reported = new Set<ServerName>();

/**
 * Whether this machine has the server's programs: for `describe.runIf`. Where it has not, the run says so at its end, and how to get them;
 * under LODE_REQUIRE_SERVERS=1 that is a failure.
 */
export function hasServer(name: ServerName): boolean {
	const { title, programs, howTo } = SERVERS[name];
	const missing = Object.entries(findBinaries(programs)).filter(([, path]) => path === undefined);
	if (missing.length === 0) return true;
	const message = `${title} is missing: ${howTo}`;
	if (process.env.LODE_REQUIRE_SERVERS === "1") throw new Error(message);
	if (!reported.has(name)) console.warn(`skipping tests: ${message}`);
	reported.add(name);
	return false;
}

/** The one server of this kind that the whole run shares: the one of `servers:up`, else one that is started on first use. */
export async function useServer<N extends ServerName>(name: N): Promise<ServerAddresses[N]> {
	const up = await new Fleet(upFolder()).running(name);
	if (up) return up.addresses;
	const fleet = runFleet();
	const folder = join(fleet.folder, `${name}.lock`);
	mkdirSync(folder, { recursive: true });
	// The first of the run's processes starts it; the others wait for as long as that may take.
	const release = await lockfile.lock(folder, {
		stale: 20_000,
		retries: { retries: 900, minTimeout: 100, maxTimeout: 300 },
	});
	try {
		const running = await fleet.running(name);
		if (running) return running.addresses;
		const server = await startServer(name, fleet.dataFolder(name), {}, (started) => fleet.write(name, started));
		fleet.write(name, server);
		return server.addresses;
	} finally {
		await release();
	}
}

/** A server of the test's own. */
export interface OwnServer<N extends ServerName> {
	readonly addresses: ServerAddresses[N];
	/** Of its processes now. */
	readonly pids: readonly number[];
	/** SIGKILL to all of its processes. */
	kill(): Promise<void>;
	/** Ends it in order. */
	stop(): Promise<void>;
	/** Starts it again on the same ports and data, and waits until it serves. */
	start(): Promise<void>;
	/** Ends it and deletes its data. */
	destroy(): Promise<void>;
}

export async function ownServer<N extends ServerName>(name: N, options: StartOptions = {}): Promise<OwnServer<N>> {
	const fleet = runFleet();
	const id = `${name}-${randomBytes(4).toString("hex")}`;
	const folder = fleet.dataFolder(id);
	const first = await startServer(name, folder, options, (started) => fleet.write(id, started));
	const { addresses, prepared } = first;
	let { processes } = first;
	const start = async () => {
		processes = await startProcesses(SERVERS[name].title, folder, prepared, (started) =>
			fleet.write(id, { name, folder, addresses, processes: started }),
		);
	};
	return {
		addresses,
		get pids() {
			return processes.map(({ pid }) => pid);
		},
		start,
		kill: () => endProcesses(processes, "SIGKILL"),
		stop: () => endProcesses(processes, "SIGTERM"),
		destroy: async () => {
			await destroyServer({ name, folder, addresses, processes });
			await fleet.destroy(id);
		},
	};
}
