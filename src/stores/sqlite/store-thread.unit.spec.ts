import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { threadEntry, threadOptions } from "../../mining/thread-options.js";
import type { TriedStore } from "./store-thread.fixture.js";
import { openStoreInThread } from "./store-thread.js";

let folder: string;
/** While this file is there, no store can be opened. */
let refusing: string;

const open = (module = "store-thread.fixture") =>
	openStoreInThread<TriedStore>(
		{ entry: threadOptions(threadEntry(import.meta.url, module)), role: "tried", options: { refusing } },
		{},
		{ sum: (args) => ({ args, moved: [(args[0] as Float32Array).buffer as ArrayBuffer] }) },
	);

const opened: TriedStore[] = [];
const tried = async () => {
	const store = await open();
	opened.push(store);
	return store;
};
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "lode-thread-"));
	refusing = join(folder, "refusing");
});
afterEach(async () => {
	for (const store of opened.splice(0)) await store.close();
	await rm(folder, { recursive: true, force: true });
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
		await writeFile(refusing, "");
		await expect(open()).rejects.toMatchObject({ code: "STORE_CORRUPT", next: "lode doctor" });
	});

	test("a thread that cannot start says so, too", async () => {
		await expect(open("store-thread.absent")).rejects.toMatchObject({
			code: "STORE_UNAVAILABLE",
			message: "The thread of the tried store ended",
		});
	});

	test("a thread that dies fails its calls as unavailable, and the next call opens the store again", async () => {
		const store = await tried();
		expect(await store.count()).toBe(1);
		await expect(store.die()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
		expect(await store.count()).toBe(1);
	});

	test("a store that cannot be opened again says why to each call, until it can", async () => {
		const store = await tried();
		expect(await Promise.all([store.count(), store.count()])).toEqual([1, 2]);
		await writeFile(refusing, "");
		await expect(store.die()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
		for (let call = 0; call < 2; call += 1) {
			await expect(store.count()).rejects.toMatchObject({ code: "STORE_CORRUPT", message: "it is damaged" });
		}
		await rm(refusing);
		expect(await Promise.all([store.count(), store.count()])).toEqual([1, 2]);
	});

	test("closes once, and takes no calls then", async () => {
		const store = await tried();
		await Promise.all([store.close(), store.close()]);
		await expect(store.count()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
	});
});
