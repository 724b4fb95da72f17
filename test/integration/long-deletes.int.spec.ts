import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GraphRecord } from "../../src/domain/entities.js";
import { fileKey, fileOrigin, folderKey } from "../../src/domain/keys.js";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import { createSqliteGraphStore } from "../../src/stores/graph/sqlite/sqlite-graph.adapter.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import type { VersionedStore } from "../../src/stores/versioned.port.js";

const chunk = (source: string, at: number): ChunkRecord => ({
	...{ source, group: "default", model: "m", origin: fileOrigin(`f${at}`), path: `f${at}`, ordinal: 0, kind: "text" },
	...{ startLine: 1, endLine: 1, text: `text ${at}`, vector: new Float32Array([1, 0, 0, 0]) },
});
const state = (source: string, at: number): GraphRecord => ({
	...{ source, origin: fileOrigin(`f${at}`), key: fileKey(source, `f${at}`), kind: "file", name: `f${at}`, props: {} },
	edges: [{ kind: "CONTAINS", to: folderKey(source, "") }],
	provides: [{ name: `name:${source}:f${at}`, rank: 0 }],
});

interface Store extends VersionedStore {
	stage(seq: number, records: readonly (ChunkRecord | GraphRecord)[]): Promise<void>;
}

interface Engine {
	readonly name: string;
	readonly open: (home: string) => Store;
	readonly record: (source: string, at: number) => ChunkRecord | GraphRecord;
}

const ENGINES: readonly Engine[] = [
	{
		name: "vectors",
		open: (home) => createSqliteVectorStore({ path: join(home, "vectors.db") }) as unknown as Store,
		record: chunk,
	},
	{
		name: "graph",
		open: (home) => createSqliteGraphStore({ path: join(home, "graph.db") }) as unknown as Store,
		record: state,
	},
];

/** More than two slices of either store. */
const MANY = 11_000;
const at = (seq: number): Snapshot => ({ number: seq, seq, excluding: [], publishedAt: "" });

/** Real: the embedded stores. */
describe.each(ENGINES)("deleting much from the $name", ({ open, record }) => {
	let home: string;
	let store: Store;
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-deletes-"));
		store = open(home);
		for (let from = 0; from < MANY; from += 1_000) {
			await store.stage(
				1,
				Array.from({ length: 1_000 }, (_, index) => record("s", from + index)),
			);
		}
		await store.stage(1, [record("other", 0), record("other", 1)]);
	});
	afterEach(async () => {
		await store.close();
		await rm(home, { recursive: true, force: true });
	});

	// A worker that cannot send heartbeats for seconds counts as dead.
	test("lets the process have its turn in between", async () => {
		let turns = 0;
		let ended = false;
		const count = () => {
			turns += 1;
			if (!ended) setImmediate(count);
		};
		setImmediate(count);
		await store.discard(1);
		ended = true;
		expect(turns).toBeGreaterThan(1);
		expect((await store.staged(1, "s")).added.count).toBe(0);
	});

	const left = async (source: string, seq = 1) => (await store.tally(at(seq), source)).count;
	const everything = Array.from({ length: MANY }, (_, index) => fileOrigin(`f${index}`));

	/** As a process that ends between two slices leaves it; then the store is opened by the next one. */
	async function interrupted(deletion: () => Promise<unknown>): Promise<void> {
		const deleting = deletion();
		const failed = expect(deleting).rejects.toMatchObject({ code: expect.any(String) });
		await nextTurn();
		await store.close();
		await failed;
		store = open(home);
	}

	test.each<[string, number, (store: Store) => Promise<unknown>]>([
		["the removal of a source", 1, (store) => store.dropSource("s")],
		["a collection", 1, (store) => store.collect("s", at(2), [])],
	])("goes on after an interruption between two slices: %s", async (what, seq, deletion) => {
		if (what === "a collection") await store.retire(2, "s", everything);
		await interrupted(() => deletion(store));
		const half = await left("s", seq);
		expect(half).toBeGreaterThan(0);
		expect(half).toBeLessThan(MANY);
		// What is left is whole.
		expect(await store.check()).toEqual([]);
		await deletion(store);
		expect(await left("s", seq)).toBe(0);
		expect(await left("other")).toBe(2);
		expect(await store.check()).toEqual([]);
		// And a repeat of what was done does nothing.
		await deletion(store);
		expect(await left("other")).toBe(2);
	});

	test("goes on after an interruption between two slices: a discard, to whose seq nobody writes meanwhile", async () => {
		await store.retire(2, "other", [fileOrigin("f0")]);
		for (let from = 0; from < MANY; from += 1_000) {
			await store.stage(
				2,
				Array.from({ length: 1_000 }, (_, index) => record("third", from + index)),
			);
		}
		await interrupted(() => store.discard(2));
		const half = (await store.staged(2, "third")).added.count;
		expect(half).toBeGreaterThan(0);
		expect(half).toBeLessThan(MANY);
		await expect(store.stage(2, [record("third", 0)])).rejects.toMatchObject({ code: "SEQ_CLOSED" });
		// What it had retired is back before anything is deleted.
		expect(await left("other", 2)).toBe(2);
		await store.discard(2);
		expect((await store.staged(2, "third")).added.count).toBe(0);
		expect(await left("s", 2)).toBe(MANY);
		expect(await store.check()).toEqual([]);
	});
});
