import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSameProcess, processIdentity } from "../../src/runtime/process-identity.js";
import { Fleet } from "../servers/fleet.js";
import { RUN_FOLDER } from "./servers.js";

const PREFIX = "lode-test-servers-";
const OWNER = "owner.json";

/** Servers of a run that was killed before it could end them. */
async function endLeftovers(): Promise<void> {
	for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
		const folder = join(tmpdir(), name);
		try {
			const owner = JSON.parse(readFileSync(join(folder, OWNER), "utf8")) as { pid: number; identity: string };
			if (await isSameProcess(owner)) continue;
			await new Fleet(folder).destroyAll();
		} catch {
			// Another run's, which is just being made or cleared away.
		}
	}
}

/** Vitest's global set-up: a folder for the servers that tests start on first use; they end with the run. */
export default async function prepare(): Promise<() => Promise<void>> {
	await endLeftovers();
	const folder = mkdtempSync(join(tmpdir(), PREFIX));
	// Postgres runs as another user, and has to get to its own folder in this one.
	chmodSync(folder, 0o711);
	const identity = await processIdentity(process.pid);
	writeFileSync(join(folder, OWNER), JSON.stringify({ pid: process.pid, identity }));
	process.env[RUN_FOLDER] = folder;
	return async () => {
		await new Fleet(folder).destroyAll();
	};
}
