import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Config, loadConfig } from "../../src/config/config.js";
import type { EventStore } from "../../src/stores/events/events.port.js";
import { openEventLog } from "../../src/wiring/stores.js";
import { migrateServers } from "../../src/wiring.js";
import { newInstallation, postgresEnvironment } from "../support/server-profile.js";
import { hasServer, useServer } from "../support/servers.js";

/** Real: Postgres with the catalog; the other stores in a home. */
describe.runIf(hasServer("postgres"))("lode migrate", () => {
	const homes: string[] = [];
	afterEach(async () => {
		for (const home of homes.splice(0)) await rm(home, { recursive: true, force: true });
	});

	async function configured(more: Record<string, string> = {}): Promise<Config> {
		const home = await mkdtemp(join(tmpdir(), "lode-home-"));
		homes.push(home);
		const postgres = postgresEnvironment((await useServer("postgres")).url);
		const env = {
			LODE_HOME: home,
			LODE_CATALOG: "postgres",
			LODE_INSTALLATION: newInstallation(),
			...postgres,
			...more,
		};
		return loadConfig({ env, cwd: home }).config;
	}

	const silently = (config: Config) => migrateServers(config, () => undefined);

	/** What is audited, after the event that a worker's first start leaves. */
	async function audited(config: Config, { started = false } = {}): Promise<unknown[]> {
		const { value, close } = (await openEventLog(config)) as { value: EventStore; close: () => Promise<void> };
		try {
			const metadata = { correlationId: "configuration", idempotencyKey: "1" };
			if (started) await value.append("configuration", 0, [{ type: "ConfigurationChanged", data: {}, metadata }]);
			const [first, ...others] = await value.readAll(0, 100);
			expect(first?.type).toBe("ConfigurationChanged");
			return others.map(({ data }) => [data.operation, data.outcome, data.code, data.about]);
		} finally {
			await close();
		}
	}

	it("leaves a new installation's log empty, as a rebuild wants it, and is audited from then on", async () => {
		const config = await configured();
		expect(await silently(config)).toMatchObject([{ server: "Postgres" }]);
		expect(await audited(config, { started: true })).toEqual([]);
		await silently(config);
		expect(await audited(config)).toEqual([["migrate", "done", null, "Postgres"]]);
	});

	it("is audited with the reason where a server is away", async () => {
		const s3 = {
			LODE_S3_ENDPOINT: "http://127.0.0.1:9",
			LODE_S3_ACCESS_KEY_ID: "key",
			LODE_S3_SECRET_ACCESS_KEY: "s3cret",
		};
		const config = await configured({ LODE_ARTIFACTS: "s3", ...s3 });
		await audited(config, { started: true });
		await expect(silently(config)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
		expect(await audited(config)).toEqual([["migrate", "refused", "STORE_UNAVAILABLE", null]]);
	});
});
