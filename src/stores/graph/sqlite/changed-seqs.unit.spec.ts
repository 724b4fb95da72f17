import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { GraphRecord } from "../../../domain/entities.js";
import type { Seq } from "../../../domain/snapshot.js";
import type { GraphStore } from "../graph.port.js";
import { createSqliteGraphStore } from "./sqlite-graph.adapter.js";

let folder: string;
let path: string;
let graph: GraphStore;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "lode-graph-"));
	path = join(folder, "graph.db");
	graph = createSqliteGraphStore({ path });
});
afterEach(async () => {
	await graph.close();
	await rm(folder, { recursive: true, force: true });
});

const at = (seq: Seq, excluding: Seq[] = []) => ({ number: 1, seq, excluding, publishedAt: "" });

const state = (source: string, origin: string, version: number): GraphRecord => ({
	source,
	origin,
	key: `file:${source}:${origin}`,
	kind: "file",
	name: origin,
	props: { version },
	edges: [],
	provides: [],
});

async function replace(seq: Seq, source: string, origin: string): Promise<void> {
	await graph.retire(seq, source, [origin]);
	await graph.stage(seq, [state(source, origin, seq)]);
}

function raw<T>(use: (database: DatabaseSync) => T): T {
	const database = new DatabaseSync(path);
	try {
		return use(database);
	} finally {
		database.close();
	}
}

const rows = () =>
	raw((database) =>
		database
			.prepare("SELECT c.name || ' ' || what || ' ' || seq AS row FROM changed_seq JOIN source c ON c.id = source")
			.all()
			.map(({ row }) => row),
	);

test("says of each source when it changed, as long as states tell of it", async () => {
	await replace(1, "a", "x");
	await graph.stage(1, [state("a", "y", 1)]);
	await replace(2, "b", "x");
	await replace(3, "a", "x");
	await replace(4, "a", "x");
	expect(rows()).toEqual(["a added 1", "a added 3", "a added 4", "a removed 3", "a removed 4", "b added 2"]);
	await graph.discard(4);
	expect(rows()).toEqual(["a added 1", "a added 3", "a removed 3", "b added 2"]);
	await graph.stage(5, [state("a", "z", 5)]);
	await replace(6, "a", "z");
	// What another one removed at the same seq is none of its business.
	await replace(6, "b", "x");
	expect(await graph.collect("a", at(6, [3]), [])).toBe(1);
	expect(rows()).toEqual([
		"a added 1",
		"a added 3",
		"a added 6",
		"a removed 3",
		"b added 2",
		"b added 6",
		"b removed 6",
	]);
	expect(await graph.collect("a", at(6), [])).toBe(1);
	expect(rows()).toEqual(["a added 1", "a added 3", "a added 6", "b added 2", "b added 6", "b removed 6"]);
	await graph.dropSource("b");
	expect(rows()).toEqual(["a added 1", "a added 3", "a added 6"]);
	expect(await graph.check()).toEqual([]);
	await graph.clear();
	expect(rows()).toEqual([]);
});

test("a graph of before is brought up to date, compares and collects what it has", async () => {
	await replace(1, "a", "x");
	await replace(2, "b", "x");
	await replace(3, "a", "x");
	await replace(4, "b", "x");
	const before = rows();
	await graph.close();
	raw((database) => database.exec("DROP TABLE changed_seq; PRAGMA user_version = 1"));
	graph = createSqliteGraphStore({ path });
	expect(rows()).toEqual(before);
	expect(await graph.check()).toEqual([]);
	expect((await graph.changes("a", at(1), at(4), undefined, 9)).map(({ key }) => key)).toEqual(["file:a:x"]);
	expect(await graph.collect("a", at(4), [])).toBe(1);
});

test.each([
	["DELETE FROM changed_seq WHERE what = 'added' AND seq = 3", "a, added at 3"],
	["DELETE FROM changed_seq WHERE what = 'removed'", "a, removed at 3"],
	["INSERT INTO changed_seq SELECT id, 'added', 2 FROM source", "a, added at 2"],
	["INSERT INTO changed_seq SELECT id, 'removed', 1 FROM source", "a, removed at 1"],
	["INSERT INTO changed_seq SELECT id + 1, 'added', 3 FROM source", "source 2, added at 3"],
])("a check names what somebody else did: %s", async (change, record) => {
	await replace(1, "a", "x");
	await replace(3, "a", "x");
	raw((database) => database.exec(change));
	expect((await graph.check()).map((problem) => problem.record)).toEqual([record]);
});
