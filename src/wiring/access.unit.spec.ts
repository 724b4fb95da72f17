import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Config, loadConfig } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import type { EventStore } from "../stores/events/events.port.js";
import { Ledger } from "../webhooks/ledger/ledger.js";
import { ledgerFolder } from "../webhooks/ledger/segment-files.js";
import { auditAfterwards } from "./access.js";
import { openEvents } from "./events.js";
import { migrateServers } from "./server-checks.js";
import { openEventLog, openStores } from "./stores.js";

/** Real: the home with its stores and its ledger. */
describe("what is audited once it has ended", () => {
	let home: string;
	let config: Config;
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
		config = loadConfig({ env: { LODE_HOME: home }, cwd: home }).config;
	});
	afterEach(() => rm(home, { recursive: true, force: true }));

	/** What Lode that ran here leaves. */
	async function used(change: (events: EventStore) => Promise<unknown> = async () => undefined): Promise<void> {
		const stores = await openStores(config);
		const metadata = { correlationId: "configuration", idempotencyKey: "1" };
		await stores.value.events.append("configuration", 0, [{ type: "ConfigurationChanged", data: {}, metadata }]);
		await change(stores.value.events);
		await stores.close();
	}

	async function audits(): Promise<unknown[]> {
		const log = await openEventLog(config);
		const found = await log?.value.readAll(0, 100, { types: ["AuditRecorded"] });
		await log?.close();
		return (found ?? []).map(({ stream, time, data }) => [stream === `audit-${time.slice(0, 10)}`, data]);
	}

	const told = (operation: string, outcome: string, more: object = {}) => [
		true,
		{ principal: "local", operation, outcome, code: null, command: null, about: null, ...more },
	];
	const failing = () =>
		auditAfterwards(config)("rebuild", async () => {
			throw new LodeError("NOTHING_ARCHIVED", "nothing");
		});

	it("is in the log, also why it was refused, and what is wrong although it was done", async () => {
		await used();
		const done = auditAfterwards(config)("rebuild", async (tell) => {
			await tell("done", { code: "VERIFICATION_FAILED" });
			return "a report";
		});
		expect(await done).toBe("a report");
		await expect(failing()).rejects.toMatchObject({ code: "NOTHING_ARCHIVED" });
		expect(await audits()).toEqual([
			told("rebuild", "done", { code: "VERIFICATION_FAILED" }),
			told("rebuild", "refused", { code: "NOTHING_ARCHIVED" }),
		]);
	});

	it("makes no log where there is none", async () => {
		await expect(failing()).rejects.toMatchObject({ code: "NOTHING_ARCHIVED" });
		expect(existsSync(join(home, "catalog.db"))).toBe(false);
	});

	it("leaves an empty log empty, which can be rebuilt without --replace", async () => {
		await (await openStores(config)).close();
		await expect(failing()).rejects.toMatchObject({ code: "NOTHING_ARCHIVED" });
		const log = await openEventLog(config);
		expect(await log?.value.readAll(0, 10)).toEqual([]);
		await log?.close();
	});

	it("does not touch a log whose rebuild has not come to its end", async () => {
		await used((events) => events.moveCheckpoint("rebuild", 1));
		await expect(failing()).rejects.toMatchObject({ code: "NOTHING_ARCHIVED" });
		expect(await audits()).toEqual([]);
	});

	it("fails with its own reason where the log cannot be opened", async () => {
		await mkdir(join(home, "catalog.db"));
		await expect(failing()).rejects.toMatchObject({ code: "NOTHING_ARCHIVED" });
	});

	it("is a migration only where there is something to migrate", async () => {
		await used();
		expect(await migrateServers(config, () => undefined)).toEqual([]);
		expect(await audits()).toEqual([]);
	});

	it("is a replay of parked webhooks, with the receipts", async () => {
		await used();
		const ledger = await Ledger.open({ folder: ledgerFolder(home), maxBytes: 1 << 30 });
		for (let key = 1; key <= 12; key++) {
			const notice = { sender: "generic", key: `${key}`, event: "moved", repository: ["/srv/a"] } as const;
			await ledger.park((await ledger.accept(notice)).receipt, "no source");
		}
		await ledger.close();
		const lode = openEvents(config, { audit: auditAfterwards(config) });
		await lode.parked({});
		await lode.replay({ ids: ["rcp-2"] });
		await lode.replay({ ids: [], repository: "elsewhere" });
		await expect(lode.replay({ ids: ["rcp-2"] })).rejects.toMatchObject({ code: "RECEIPT_NOT_FOUND" });
		await lode.replay({ ids: [], all: true });
		const ten = ["1", "3", "4", "5", "6", "7", "8", "9", "10", "11"].map((n) => `rcp-${n}`);
		expect(await audits()).toEqual([
			told("replay-events", "done", { about: "rcp-2" }),
			told("replay-events", "done"),
			told("replay-events", "refused", { code: "RECEIPT_NOT_FOUND" }),
			told("replay-events", "done", { about: `${ten.join(", ")}, and 1 more` }),
		]);
	});
});
