import { afterEach, describe, expect, test } from "vitest";
import { threadEntry, threadOptions } from "../../mining/thread-options.js";
import type { TriedStore } from "./store-thread.fixture.js";
import { openStoreInThread } from "./store-thread.js";

const open = (refuse = false) =>
	openStoreInThread<TriedStore>(
		{ entry: threadOptions(threadEntry(import.meta.url, "store-thread.fixture")), role: "tried", options: { refuse } },
		{},
		{ sum: (args) => ({ args, moved: [(args[0] as Float32Array).buffer as ArrayBuffer] }) },
	);

const opened: TriedStore[] = [];
const tried = async () => {
	const store = await open();
	opened.push(store);
	return store;
};
afterEach(async () => {
	for (const store of opened.splice(0)) await store.close();
});

describe("a store in a thread", () => {
	test("answers calls in their order, and takes what is moved", async () => {
		const store = await tried();
		expect(await Promise.all([store.count(), store.count(), store.count()])).toEqual([1, 2, 3]);
		const numbers = Float32Array.of(1, 2, 3.5);
		expect(await store.sum(numbers)).toBe(6.5);
		expect(numbers.length).toBe(0);
	});

	test("errors keep their code, and what to do next; mistakes say where they were made", async () => {
		const store = await tried();
		await expect(store.fail()).rejects.toMatchObject({
			code: "SEQ_CLOSED",
			message: "no more writes",
			next: "nothing",
		});
		await expect(store.err()).rejects.toMatchObject({ code: "INTERNAL", message: "a mistake" });
		expect(await store.count()).toBe(1);
	});

	test("what cannot be opened says so at once", async () => {
		await expect(open(true)).rejects.toMatchObject({ code: "STORE_CORRUPT", next: "lode doctor" });
	});

	test("a thread that dies fails its calls as unavailable, and the next call opens the store again", async () => {
		const store = await tried();
		expect(await store.count()).toBe(1);
		await expect(store.die()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
		expect(await store.count()).toBe(1);
	});

	test("closes once, and takes no calls then", async () => {
		const store = await tried();
		await Promise.all([store.close(), store.close()]);
		await expect(store.count()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
	});
});
