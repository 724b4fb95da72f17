import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SERVER_NAMES } from "../servers/server.js";
import { hasServer, ownServer } from "../support/servers.js";

/** Real: every server that this machine has. */
describe("the servers that tests run against", () => {
	it.runIf(SERVER_NAMES.every(hasServer)).each(SERVER_NAMES)(
		"%s starts, survives a kill with its ports, and leaves nothing",
		async (name) => {
			const server = await ownServer(name);
			try {
				await server.kill();
				await server.start();
			} finally {
				await server.destroy();
			}
			const folder = process.env.LODE_TEST_SERVERS_FOLDER as string;
			expect(readdirSync(folder).filter((entry) => entry.startsWith(`${name}-`))).toEqual([]);
		},
	);
});
