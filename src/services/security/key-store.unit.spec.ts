import { afterEach, beforeEach, expect, test } from "vitest";
import { parseGrants } from "../../domain/roles.js";
import { type CatalogDatabase, openCatalogDatabase } from "../../stores/catalog/sqlite/catalog-database.js";
import type { EventStore } from "../../stores/events/events.port.js";
import { createSqliteEventStore } from "../../stores/events/sqlite/sqlite-event-store.adapter.js";
import { KeyStore } from "./key-store.js";
import { KeyUsage } from "./key-usage.js";
import type { Principal } from "./principal.js";

/** Real: the event store in SQLite. Stands in: the clock. */
let database: CatalogDatabase;
let events: EventStore;
let time: number;
beforeEach(() => {
	database = openCatalogDatabase(":memory:");
	events = createSqliteEventStore({ database });
	time = Date.parse("2026-11-27T12:00:00Z");
});
afterEach(() => database.close());

const store = () => new KeyStore(events, () => time);
const NEW = { name: "a key", grants: parseGrants(["viewer:shop-1", "editor"]) };

test("a key is valid until it expires, and says what it may", async () => {
	const keys = store();
	const { secret, key } = await keys.create({ ...NEW, expiresAt: "2026-11-27T13:00:00Z" }, "local");
	expect(await store().find(secret as string)).toEqual({
		id: `key:${key.id}`,
		kind: "key",
		grants: { "*": "editor", "shop-1": "viewer" },
	});
	time = Date.parse("2026-11-27T12:59:59Z");
	expect(await keys.find(secret as string)).toMatchObject({ id: `key:${key.id}` });
	time = Date.parse("2026-11-27T13:00:00Z");
	expect(await keys.find(secret as string)).toBeUndefined();
	await expect(keys.create({ ...NEW, expiresAt: "2026-11-27T13:00:00Z" }, "local")).rejects.toMatchObject({
		code: "USAGE",
	});
});

test("a revoked key is refused at once here, and a new one is known at once elsewhere", async () => {
	const [one, another] = [store(), store()];
	expect(await another.anyEver()).toBe(false);
	const { secret, key } = await one.create(NEW, "local");
	expect(await another.find(secret as string)).toMatchObject({ id: `key:${key.id}` });
	await one.revoke(key.id, "key:abc");
	await one.revoke(key.id, "key:abc");
	expect(await one.find(secret as string)).toBeUndefined();
	expect(await one.anyEver()).toBe(true);
	expect(await store().find(secret as string)).toBeUndefined();
	await expect(one.revoke("0123456789ab", "local")).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
	expect((await events.readAll(0, 10)).map(({ type, data }) => [type, data.by])).toEqual([
		["ApiKeyCreated", "local"],
		["ApiKeyRevoked", "key:abc"],
	]);
});

test("a repeat with an idempotency key makes no other key and has no secret", async () => {
	const keys = store();
	const made = await keys.create(NEW, "local", "once");
	const [again, elsewhere] = [await keys.create(NEW, "local", "once"), await store().create(NEW, "local", "once")];
	for (const repeat of [again, elsewhere]) expect(repeat).toEqual({ ...made, secret: null });
	expect(made.visibilityToken).toBe("event:1");
	await expect(keys.create({ ...NEW, name: "another" }, "local", "once")).rejects.toMatchObject({
		code: "IDEMPOTENCY_KEY_REUSED",
	});
	// Everybody has idempotency keys of their own, and without one each request makes a key.
	const others = [
		await keys.create(NEW, "key:abc", "once"),
		await keys.create(NEW, "local"),
		await keys.create(NEW, "local"),
	];
	expect(new Set([made, ...others].map(({ key }) => key.id)).size).toBe(4);
	expect(await keys.list()).toHaveLength(4);
	expect(JSON.stringify(await events.readAll(0, 10))).not.toContain("once");
});

test("a quota counts over processes and begins anew at midnight; without one a day is one event", async () => {
	const usage = () => new KeyUsage(events, () => time);
	const limited: Principal = { id: "key:aaaaaaaaaaaa", kind: "key", grants: {}, requestsPerDay: 5 };
	const free: Principal = { id: "key:bbbbbbbbbbbb", kind: "key", grants: {} };
	const first = usage();
	for (let at = 0; at < 3; at++) await first.count(limited);
	for (let at = 0; at < 50; at++) await first.count(free);
	await first.close();
	const second = usage();
	for (let at = 0; at < 2; at++) await second.count(limited);
	await expect(second.count(limited)).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 12 * 3_600_000 });
	time = Date.parse("2026-11-28T00:00:01Z");
	await second.count(limited);
	await second.close();
	const told = (await events.readAll(0, 100)).filter(({ stream }) => stream === "api-key-bbbbbbbbbbbb");
	expect(told.map(({ data }) => data)).toEqual([{ day: "2026-11-27", requests: 1 }]);
	expect((await store().list()).length).toBe(0);
});
