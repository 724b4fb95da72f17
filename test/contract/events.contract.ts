import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventStore, NewEvent, StoredEvent } from "../../src/stores/events/events.port.js";

/** An event store, fresh and empty. */
export interface EventStoreUnderTest {
	readonly events: EventStore;
	/** Opens the same data once more, as another process would. `destroy` closes it. */
	reopen(): Promise<EventStore>;
	/** Closes everything and deletes the data. */
	destroy(): Promise<void>;
}

const coded = (code: string) => expect.objectContaining({ code });
const event = (key: string, data: NewEvent["data"] = { key }): NewEvent => ({
	type: "Happened",
	data,
	metadata: { correlationId: "c", causationId: "cause", idempotencyKey: key, source: "s" },
});
const keys = (events: readonly StoredEvent[]) => events.map(({ metadata }) => metadata.idempotencyKey);

function newGate(): { readonly opened: Promise<void>; open(): void } {
	let open = (): void => {};
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { opened, open };
}

/** Collects what a subscription handles, and lets a test wait for a number of them. */
class Seen {
	readonly keys: string[] = [];
	#waiting: { readonly count: number; readonly resolve: () => void }[] = [];

	readonly handler = async (stored: StoredEvent): Promise<void> => {
		this.keys.push(stored.metadata.idempotencyKey);
		for (const { count, resolve } of this.#waiting) if (this.keys.length >= count) resolve();
		this.#waiting = this.#waiting.filter(({ count }) => this.keys.length < count);
	};

	async until(count: number): Promise<string[]> {
		if (this.keys.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
		return this.keys;
	}
}

export function eventStoreContract(name: string, create: () => Promise<EventStoreUnderTest>): void {
	describe(`${name}: event store`, () => {
		let under: EventStoreUnderTest;
		let events: EventStore;
		beforeEach(async () => {
			under = await create();
			events = under.events;
		});
		afterEach(() => under.destroy());

		it("keeps events as they were given, numbered in their stream and over all", async () => {
			const data = { text: "é\u{1f600}\n", nested: { list: [1, null, true] }, absent: undefined };
			const [first] = await events.append("one", "any", [event("a", data)]);
			await events.append("two", "any", [event("b")]);
			await events.append("one", "any", [event("c"), event("d")]);
			expect(first).toMatchObject({ stream: "one", version: 1, type: "Happened", metadata: event("a").metadata });
			expect(first?.data).toEqual({ text: data.text, nested: data.nested });
			const stored = await events.read("one");
			expect(stored[0]).toEqual(first);
			expect(stored.map(({ version }) => version)).toEqual([1, 2, 3]);
			expect(new Set((await events.readAll(0, 10)).map(({ id }) => id)).size).toBe(4);
			expect(keys(await (await under.reopen()).read("one"))).toEqual(["a", "c", "d"]);
			const bare: NewEvent = { type: "T", data: {}, metadata: { correlationId: "c", idempotencyKey: "k" } };
			expect((await events.append("bare", "any", [bare]))[0]).toMatchObject(bare);
		});

		it("reads a part of a stream and pages through all", async () => {
			await events.append(
				"one",
				0,
				["a", "b", "c", "d"].map((key) => event(key)),
			);
			await events.append("two", 0, [event("x")]);
			expect(keys(await events.read("one", 2, 2))).toEqual(["b", "c"]);
			expect(keys(await events.read("one", 4))).toEqual(["d"]);
			expect(await events.read("one", 5)).toEqual([]);
			expect(await events.read("nothing")).toEqual([]);
			const found: StoredEvent[] = [];
			for (;;) {
				const page = await events.readAll(found.at(-1)?.position ?? 0, 2);
				if (page.length === 0) break;
				found.push(...page);
			}
			expect(keys(found)).toEqual(["a", "b", "c", "d", "x"]);
			const positions = found.map(({ position }) => position);
			expect(positions).toEqual([...positions].sort((x, y) => x - y));
		});

		it("appends only to the version that was expected", async () => {
			await events.append("one", 0, [event("a")]);
			await expect(events.append("one", 0, [event("b")])).rejects.toEqual(coded("VERSION_CONFLICT"));
			await expect(events.append("one", 2, [event("b"), event("c")])).rejects.toEqual(coded("VERSION_CONFLICT"));
			await expect(events.append("two", 1, [event("b")])).rejects.toEqual(coded("VERSION_CONFLICT"));
			await events.append("one", 1, [event("b")]);
			expect(keys(await events.read("one"))).toEqual(["a", "b"]);
			expect(keys(await events.readAll(0, 10))).toEqual(["a", "b"]);
		});

		it("appends a key once in a stream, and answers a repeat with the first", async () => {
			const first = await events.append("one", 0, [event("a"), event("b")]);
			expect(await events.append("one", 0, [event("a", { other: 1 }), event("b")])).toEqual(first);
			const mixed = await events.append("one", 2, [event("b"), event("c"), event("c")]);
			expect(mixed.map(({ version }) => version)).toEqual([2, 3, 3]);
			await expect(events.append("one", 2, [event("c"), event("d")])).rejects.toEqual(coded("VERSION_CONFLICT"));
			expect((await events.append("two", 0, [event("a")]))[0]).toMatchObject({ stream: "two", version: 1 });
			expect(keys(await events.read("one"))).toEqual(["a", "b", "c"]);
			expect(await events.append("one", 0, [])).toEqual([]);
		});

		it("lets one of several writers win a version, and orders the others", async () => {
			const stores = [events, await under.reopen(), await under.reopen()];
			const rivals = await Promise.allSettled(
				stores.map((store, index) => store.append("one", 0, [event(`r${index}`)])),
			);
			expect(rivals.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
			await Promise.all(
				stores.flatMap((store, index) =>
					Array.from({ length: 10 }, (_, n) =>
						store.append("many", "any", [event(`${index}-${n}`), event(`${index}-${n}b`)]),
					),
				),
			);
			expect((await events.read("many")).map(({ version }) => version)).toEqual(
				Array.from({ length: 60 }, (_, n) => n + 1),
			);
		});

		it("appends a key once, though several processes send it at the same time", async () => {
			const stores = [events, await under.reopen(), events];
			const results = await Promise.all(stores.map((store) => store.append("one", "any", [event("a"), event("b")])));
			expect(results[1]).toEqual(results[0]);
			expect(results[2]).toEqual(results[0]);
			expect(keys(await events.readAll(0, 10))).toEqual(["a", "b"]);
		});

		it("hands a subscriber what is there and what comes, in order, also from other processes", async () => {
			await events.append("one", "any", [event("a"), event("b")]);
			const seen = new Seen();
			const stop = await events.subscribe("consumer", seen.handler);
			await seen.until(2);
			await events.append("two", "any", [event("c")]);
			await seen.until(3);
			await (await under.reopen()).append("one", "any", [event("d")]);
			expect(await seen.until(4)).toEqual(["a", "b", "c", "d"]);
			await stop();
			await events.append("one", "any", [event("e")]);
			expect(seen.keys).toEqual(["a", "b", "c", "d"]);
		});

		it("goes on after the checkpoint, each consumer for itself", async () => {
			await events.append(
				"one",
				"any",
				["a", "b", "c"].map((key) => event(key)),
			);
			const seen = new Seen();
			let stop = await events.subscribe("first", seen.handler);
			await seen.until(3);
			await stop();
			await events.append("one", "any", [event("d")]);
			const again = await under.reopen();
			stop = await again.subscribe("first", seen.handler);
			expect(await seen.until(4)).toEqual(["a", "b", "c", "d"]);
			await stop();
			const other = new Seen();
			stop = await again.subscribe("second", other.handler);
			expect(await other.until(4)).toEqual(["a", "b", "c", "d"]);
			await stop();
		});

		it("stops with the handler's error, and hands out that event again", async () => {
			await events.append(
				"one",
				"any",
				["a", "b", "c"].map((key) => event(key)),
			);
			const seen = new Seen();
			const failed = newGate();
			const stop = await events.subscribe("consumer", async (stored) => {
				if (stored.metadata.idempotencyKey === "b") {
					failed.open();
					throw new Error("no");
				}
				await seen.handler(stored);
			});
			await failed.opened;
			await expect(stop()).rejects.toThrow("no");
			expect(seen.keys).toEqual(["a"]);
			const goOn = await events.subscribe("consumer", seen.handler);
			expect(await seen.until(3)).toEqual(["a", "b", "c"]);
			await goOn();
		});

		it("waits for the running handler when it stops, and for all of them when it closes", async () => {
			await events.append("one", "any", [event("a"), event("b")]);
			for (const end of ["stop", "close"] as const) {
				const store = await under.reopen();
				const entered = newGate();
				const gate = newGate();
				const finished: string[] = [];
				const stop = await store.subscribe(end, async (stored) => {
					entered.open();
					await gate.opened;
					finished.push(stored.metadata.idempotencyKey);
				});
				await entered.opened;
				const ending = end === "stop" ? stop() : store.close();
				gate.open();
				await ending;
				expect(finished).toEqual(["a"]);
			}
		});

		it("keeps how far a consumer is, never back unless it begins anew", async () => {
			expect(await events.checkpoint("c")).toBe(0);
			await events.moveCheckpoint("c", 5);
			await events.moveCheckpoint("c", 3);
			expect(await (await under.reopen()).checkpoint("c")).toBe(5);
			expect(await events.checkpoint("d")).toBe(0);
			await events.forgetCheckpoint("c");
			expect(await events.checkpoint("c")).toBe(0);
		});

		it("finds events by stream, type and source, from the beginning and from the end", async () => {
			const of = (key: string, type: string, source?: string): NewEvent => ({
				type,
				data: {},
				metadata: { correlationId: "c", idempotencyKey: key, source },
			});
			await events.append("one", "any", [of("a", "X", "s"), of("b", "Y", "t"), of("c", "X", "t")]);
			await events.append("two", "any", [of("d", "X", "s"), of("e", "X")]);
			expect(keys(await events.readAll(0, 10, { types: ["X"] }))).toEqual(["a", "c", "d", "e"]);
			expect(keys(await events.readAll(1, 2, { types: ["X"] }))).toEqual(["c", "d"]);
			expect(keys(await events.readAll(0, 10, { source: "s" }))).toEqual(["a", "d"]);
			expect(keys(await events.readAll(0, 10, { stream: "one", types: ["X"], source: "t" }))).toEqual(["c"]);
			expect(keys(await events.latest(2))).toEqual(["e", "d"]);
			expect(keys(await events.latest(2, { stream: "one" }))).toEqual(["c", "b"]);
			expect(await events.latest(5, { types: ["Z"] })).toEqual([]);
			expect(keys(await events.readAll(0, 3, { types: ["Y", "X", "Z"] }))).toEqual(["a", "b", "c"]);
			expect(await events.readAll(0, 10, { types: [] })).toEqual([]);
			expect(keys(await events.readAll(0, 10, { sources: ["s", "nowhere"] }))).toEqual(["a", "d"]);
			expect(keys(await events.readAll(0, 10, { sources: ["t"], source: "s" }))).toEqual([]);
			expect(keys(await events.latest(10, { sources: ["s"], types: ["X"] }))).toEqual(
				keys(await events.latest(10, { source: "s", types: ["X"] })),
			);
			const about = (await events.readAll(0, 10)).filter(({ metadata }) => metadata.source !== undefined);
			expect(keys(await events.readAll(0, 10, { sources: "any" }))).toEqual(keys(about));
			expect(about.length).toBeLessThan((await events.readAll(0, 10)).length);
		});

		it("reads on in a stream from any position, its own or another's", async () => {
			for (let n = 0; n < 12; n++) {
				// Alone, in turns and many at once.
				await events.append(["one", "two", "one", "three"][n % 4] ?? "one", "any", [event(`${n}`)]);
				if (n === 5) await events.append("two", "any", [event("x"), event("y"), event("z")]);
			}
			const all = await events.readAll(0, 100);
			const positions = [0, ...all.map(({ position }) => position), 1_000];
			for (const stream of ["one", "two", "three", "none"]) {
				for (const position of positions) {
					const rest = all.filter((one) => one.stream === stream && one.position > position);
					expect(await events.readAll(position, 100, { stream })).toEqual(rest);
					expect(await events.readAll(position, 2, { stream, types: ["Happened"] })).toEqual(rest.slice(0, 2));
				}
			}
		});

		it("counts each event exactly once, however many ask at the same time", async () => {
			const of = (type: string, key: string, source: string): NewEvent => ({
				type,
				data: {},
				metadata: { correlationId: "c", idempotencyKey: key, source },
			});
			const stores = [events, await under.reopen(), await under.reopen()];
			const webhooks = Array.from({ length: 700 }, (_, n) => of("WebhookReceived", `w${n}`, n % 3 === 0 ? "b" : "a"));
			await events.append("webhooks", "any", webhooks);
			await Promise.all(stores.map((store) => store.activity()));
			await events.append("webhooks", "any", webhooks.slice(0, 10));
			const [published] = await events.append("ingestion-ing-1", "any", [of("IngestionPublished", "p", "a")]);
			await events.append("ingestion-ing-2", "any", [
				of("IngestionStarted", "s", "a"),
				of("IngestionAborted", "x", "a"),
				of("IngestionReleased", "r", "a"),
			]);
			const [activity] = await Promise.all(stores.map((store) => store.activity()));
			expect(activity).toEqual([
				{
					source: "a",
					receipts: 466,
					published: 1,
					compensated: 1,
					lastReceiptAt: expect.any(String),
					lastPublishedAt: published?.time,
				},
				{ source: "b", receipts: 234, published: 0, compensated: 0, lastReceiptAt: expect.any(String) },
			]);
			await events.append("source-b", "any", [of("SourceRemoved", "g", "b")]);
			expect((await events.activity()).map(({ source }) => source)).toEqual(["a"]);
			// The checkpoint is lost: the registry still knows what counted.
			await events.forgetCheckpoint("source-activity");
			expect((await events.activity())[0]).toMatchObject({ receipts: 466, published: 1 });
		});
	});
}
