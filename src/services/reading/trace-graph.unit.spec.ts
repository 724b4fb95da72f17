import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Edge, GraphRecord } from "../../domain/entities.js";
import { columnKey, dataModelKey } from "../../domain/keys.js";
import { createSqliteGraphStore } from "../../stores/graph/sqlite/sqlite-graph.adapter.js";
import { listNeighbours, traceLineage } from "./trace-graph.js";

const key = (name: string) => dataModelKey("s", name);
const derives = (...from: string[]): Edge[] => from.map((name) => ({ kind: "DERIVES_FROM", to: key(name) }));
const model = (name: string, edges: readonly Edge[]): GraphRecord => ({
	source: "s",
	origin: `file:${name}.sql`,
	key: key(name),
	kind: "data_model",
	name,
	props: {},
	edges,
	provides: [],
});

/** On the real SQLite graph. Seq 1: raw → staged → report, and a circle; seq 2: report derives from raw alone. */
describe("lineage and neighbours", () => {
	let folder: string;
	let graph: ReturnType<typeof createSqliteGraphStore>;
	const at = (seq: number) => ({
		snapshot: { number: seq, seq, excluding: [], publishedAt: "2026-01-01T00:00:00Z" },
		sources: ["s"],
	});
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-lineage-"));
		graph = createSqliteGraphStore({ path: join(folder, "graph.db") });
		await graph.stage(1, [
			model("raw", []),
			model("staged", derives("raw")),
			model("report", [...derives("staged"), { kind: "HAS_COLUMN", to: columnKey(key("report"), "id") }]),
			model("ying", derives("yang")),
			model("yang", derives("ying")),
			...Array.from({ length: 300 }, (_, n) => model(`leaf${n}`, derives("wide"))),
			model("wide", []),
		]);
		await graph.retire(2, "s", ["file:report.sql"]);
		await graph.stage(2, [model("report", derives("raw"))]);
	});
	afterAll(async () => {
		await graph.close();
		await rm(folder, { recursive: true, force: true });
	});
	const names = (edges: readonly { from: string; to: string; depth: number }[]) =>
		edges.map(({ from, to, depth }) => `${from.split(":").at(-1)} ${to.split(":").at(-1)} ${depth}`);

	it("goes up and down over any number of steps, each in its snapshot", async () => {
		const before = await traceLineage(graph, at(1), "staged", { direction: "both", depth: 10 });
		expect(names(before.up)).toEqual(["staged raw 1"]);
		expect(names(before.down)).toEqual(["report staged 1"]);
		const up = await traceLineage(graph, at(1), key("report"), { direction: "up", depth: 10 });
		expect(names(up.up)).toEqual(["report staged 1", "staged raw 2"]);
		expect(up).toMatchObject({ snapshot: 1, down: [], truncated: false, entity: { name: "report" } });
		expect(Object.keys(up.entities).sort()).toEqual([key("raw"), key("report"), key("staged")]);
		expect(names((await traceLineage(graph, at(1), "report", { direction: "up", depth: 1 })).up)).toHaveLength(1);
		const after = await traceLineage(graph, at(2), "raw", { direction: "down", depth: 10 });
		expect(names(after.down).sort()).toEqual(["report raw 1", "staged raw 1"]);
	});

	it("ends in a circle, and says where it was cut", async () => {
		const circle = await traceLineage(graph, at(1), "ying", { direction: "up", depth: 20 });
		expect(names(circle.up)).toEqual(["ying yang 1", "yang ying 2"]);
		const limited = await traceLineage(graph, at(1), "report", { direction: "up", depth: 9, limit: 1 });
		expect(limited.up).toHaveLength(1);
		const wide = await traceLineage(graph, at(1), "wide", { direction: "down", depth: 1 });
		expect([wide.down.length, wide.truncated]).toEqual([200, true]);
	});

	it("lists edges by direction and kind", async () => {
		const list = async (options: Parameters<typeof listNeighbours>[3]) =>
			(await listNeighbours(graph, at(1), "report", options)).edges.map(({ kind, to }) => [kind, to]);
		expect(await list({ direction: "out" })).toHaveLength(2);
		expect(await list({ direction: "out", kinds: ["HAS_COLUMN"] })).toEqual([
			["HAS_COLUMN", columnKey(key("report"), "id")],
		]);
		expect(await list({ direction: "in" })).toEqual([]);
		await expect(listNeighbours(graph, at(1), "nothing", { direction: "in" })).rejects.toMatchObject({
			code: "ENTITY_NOT_FOUND",
		});
	});
});
