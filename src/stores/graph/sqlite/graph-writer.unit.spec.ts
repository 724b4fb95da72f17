import { afterEach, beforeEach, expect, type MockInstance, test, vi } from "vitest";
import type { GraphRecord } from "../../../domain/entities.js";
import { openDatabase, type SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { GraphEntities } from "./graph-entities.js";
import { GraphLinks } from "./graph-links.js";
import { GraphRecords } from "./graph-records.js";
import { GraphWriter } from "./graph-writer.js";
import { GRAPH_MIGRATIONS, prepareGraphConnection } from "./schema.js";

let database: SqliteDatabase;
let prepare: MockInstance<SqliteDatabase["prepare"]>;

beforeEach(() => {
	database = openDatabase({
		path: ":memory:",
		role: "graph",
		synchronous: "FULL",
		prepareConnection: prepareGraphConnection,
		migrations: GRAPH_MIGRATIONS,
	});
	prepare = vi.spyOn(database, "prepare");
});

afterEach(() => {
	vi.restoreAllMocks();
	database.close();
});

const at = (seq: number, excluding: number[] = []) => ({ number: 1, seq, excluding, publishedAt: "" });

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
	const base = at(1);
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
	const plans = plansOf(/\b(SELECT|UPDATE|DELETE)\b/);
	expect(plans.length).toBeGreaterThan(8);
	expect(plans.filter(({ plan }) => plan.some((step) => WHOLE.test(step)))).toEqual([]);
});

// What `PRAGMA optimize` writes in a home of 20,000 states, in 1,000 ingestions and in the first one.
test.each([
	["no statistics", undefined],
	["those of many ingestions", ["20000 20", "1000 10"]],
	["those of one ingestion", ["20000 20000", "0 0"]],
])("a collection and a comparison begin with when their source changed: %s", async (_, statistics) => {
	const writer = new GraphWriter(database);
	writer.stage(1, [state("a"), state("b")]);
	writer.retire(2, "s", ["a"]);
	writer.stage(2, [state("b2")]);
	const entities = new GraphEntities(database);
	const changes = entities.changes("s", at(1), at(2), undefined, 10);
	expect(changes.map(({ key, change }) => [key, change])).toEqual([
		["file:s:a", "removed"],
		["file:s:b2", "added"],
	]);
	expect(entities.changes("s", at(1), at(2), "file:s:a", 10)).toHaveLength(1);
	expect(await writer.collect("s", at(2, [2]), [])).toBe(0);
	expect(await writer.collect("s", at(2), [])).toBe(1);
	if (statistics !== undefined) {
		const figures: Record<string, readonly [string, string | undefined]> = {
			changed_seq: ["changed_seq", "2000 1000 500 1"],
			state_added: ["state", statistics[0]],
			state_removed: ["state", statistics[1]],
			state_identity: ["state", "20000 10 1 1"],
			state_key: ["state", "20000 1"],
			sqlite_autoindex_origin_1: ["origin", "2000 2000 1"],
			sqlite_autoindex_term_1: ["term", "20000 1"],
		};
		database.raw.exec("ANALYZE; DELETE FROM sqlite_stat1");
		const insert = database.raw.prepare("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)");
		for (const [index, [table, figure = ""]] of Object.entries(figures)) insert.run(table, index, figure);
		database.raw.exec("ANALYZE sqlite_schema");
	}
	const all = plansOf(/doomed_state|changed_seq/);
	expect(all.length).toBeGreaterThan(12);
	expect(all.filter(({ plan }) => plan.some((step) => WHOLE.test(step)))).toEqual([]);
	const plans = all.filter(({ sql }) => /INTO doomed_state|json_each\(:odd\)/.test(sql));
	// Of one source, then of one seq: nothing of what other sources keep or changed.
	const steps = plans.map(({ plan }) => plan.filter((step) => /^(SEARCH|SCAN) [cs]\b/.test(step)));
	const collecting = [RANGE.replace("seq>? AND ", ""), "SEARCH s USING INDEX state_removed (removed_at=?)"];
	const comparing = ["added", "removed"].flatMap((what) => {
		const found = `SEARCH s USING INDEX state_${what} (${what}_at=?)`;
		return [RANGE, found, RANGE.replace("seq>? AND seq<?", "seq=?"), found];
	});
	expect(steps).toEqual([comparing, comparing, collecting, collecting]);
});

const RANGE = "SEARCH c USING PRIMARY KEY (source=? AND what=? AND seq>? AND seq<?)";
const WHOLE =
	/^SCAN (state|changed_seq|c|o|origin|k|term|edge|arrival|provided)\b|^SEARCH (?!c )\w+ USING .*\((source|kind)=\?\)$|AUTOMATIC/;

/** Of the statements that were asked. */
const plansOf = (within: RegExp) => {
	const asked = new Set(prepare.mock.calls.map(([sql]) => sql));
	return [...asked]
		.filter((sql) => within.test(sql))
		.map((sql) => ({
			sql,
			plan: database.raw
				.prepare(`EXPLAIN QUERY PLAN ${sql}`)
				.all()
				.map(({ detail }) => String(detail)),
		}));
};
