import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventStore } from "../../stores/events/events.port.js";
import { createSqliteEventStore } from "../../stores/events/sqlite/sqlite-event-store.adapter.js";
import { eventPage, followEvents, lastPosition } from "./event-pages.js";

let store: EventStore;
beforeEach(() => {
	store = createSqliteEventStore({ path: ":memory:" });
});
afterEach(() => store.close());

async function append(count: number, stream = "a"): Promise<void> {
	const events = Array.from({ length: count }, (_, at) => ({
		type: "Happened",
		data: {},
		metadata: { correlationId: "c", idempotencyKey: `${stream} ${at}`, source: stream },
	}));
	await store.append(stream, "any", events);
}

test.each([0, 1, 2, 1_023, 1_024, 1_025, 1_026, 3_500])("the last of %i events is found", async (count) => {
	if (count > 0) await append(count);
	expect(await lastPosition(store)).toBe(count);
});

test("a page finds what lies far away, and ends where its time ends", async () => {
	await append(6_000);
	await append(3, "b");
	const first = await eventPage(store, { source: "b" }, { first: 2 });
	expect(first.items.map(({ item }) => item.position)).toEqual([6_001, 6_002]);
	expect(first.more).toBe(true);
	const next = await eventPage(
		store,
		{ stream: "b", types: ["Happened"] },
		{ first: 2, after: first.items[1]?.cursor },
	);
	expect(next.items.map(({ item }) => item.position)).toEqual([6_003]);
	expect(next.more).toBe(false);
	expect(await eventPage(store, { types: [] }, { first: 2 })).toEqual({ items: [], more: false });
	const then = (await store.readAll(0, 1))[0]?.time as string;
	const before = new Date(Date.parse(then) - 1).toISOString();
	expect(await eventPage(store, {}, { first: 2 }, before)).toEqual({ items: [], more: false });
	expect((await eventPage(store, {}, { first: 2 }, then)).items).toHaveLength(2);
});

test("a follower gets what came before and what comes, in order, and ends while it waits", async () => {
	await append(3);
	const ending = new AbortController();
	const seen: number[] = [];
	const following = (async () => {
		for await (const { position } of followEvents(store, { stream: "b" }, 1, ending.signal)) {
			seen.push(position);
			if (seen.length === 2) return;
		}
	})();
	await append(2, "b");
	await following;
	expect(seen).toEqual([4, 5]);
	const idle = followEvents(store, {}, 5, ending.signal).next();
	ending.abort();
	expect(await idle).toEqual({ done: true, value: undefined });
});
