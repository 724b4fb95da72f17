import { afterEach, expect, test, vi } from "vitest";
import type { GraphRecord } from "../../../domain/entities.js";
import { openDatabase } from "../../sqlite/sqlite-database.js";
import { GraphLinks } from "./graph-links.js";
import { GraphRecords } from "./graph-records.js";
import { GraphWriter } from "./graph-writer.js";
import { GRAPH_MIGRATIONS, prepareGraphConnection } from "./schema.js";

afterEach(() => vi.restoreAllMocks());

const state = (origin: string): GraphRecord => ({
	source: "s",
	origin,
	key: `file:s:${origin}`,
	kind: "file",
	name: origin,
	props: {},
	edges: [{ kind: "CONTAINS", to: "folder:s:" }],
	provides: [{ name: `name:s:${origin}`, rank: 0 }],
});

// A step that names the source alone, or nothing, costs what is there and not what changes. Statistics would hide it: a new home has none.
test("no statement of a commit goes through all that the graph holds, also before anything was analysed", async () => {
	const database = openDatabase({
		path: ":memory:",
		role: "graph",
		synchronous: "FULL",
		prepareConnection: prepareGraphConnection,
		migrations: GRAPH_MIGRATIONS,
	});
	const prepare = vi.spyOn(database, "prepare");
	const base = { number: 1, seq: 1, excluding: [], publishedAt: "2026-01-01T00:00:00.000Z" };
	const writer = new GraphWriter(database);
	writer.stage(1, [state("a"), state("b")]);
	writer.retire(2, "s", ["a"]);
	writer.stage(2, [state("a")]);
	const links = new GraphLinks(database);
	const names = await links.touchedNames(2, "s", undefined, 10);
	expect(names).toEqual(["name:s:a"]);
	links.candidates(2, "s", base, names, 10);
	const { added, retired } = await new GraphRecords(database).staged(2, "s", undefined);
	expect([added.count, retired.count]).toEqual([1, 1]);
	const statements = new Set(prepare.mock.calls.map(([sql]) => sql));
	prepare.mockRestore();
	const plans = [...statements]
		.filter((sql) => /\b(SELECT|UPDATE|DELETE)\b/.test(sql))
		.map((sql) => ({
			sql,
			plan: database.raw
				.prepare(`EXPLAIN QUERY PLAN ${sql}`)
				.all()
				.map(({ detail }) => String(detail)),
		}));
	expect(plans.length).toBeGreaterThan(8);
	const whole = /^SCAN (state|origin|term|edge|arrival|provided)\b|^SEARCH (?!c )\w+ USING .*\((source|kind)=\?\)$/;
	expect(plans.filter(({ plan }) => plan.some((step) => whole.test(step)))).toEqual([]);
	database.close();
});
