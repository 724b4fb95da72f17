import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { GraphRecord } from "../../src/domain/entities.js";
import { showGraph } from "../../src/services/reading/show-graph.js";
import { walk } from "../../src/services/traversal/walk.js";
import { createSqliteGraphStore } from "../../src/stores/graph/sqlite/sqlite-graph.adapter.js";
import type { Bench } from "./bench.js";
import { batchesOf, latencies } from "./bench-server.js";
import { generated } from "./generated-graph.js";
import { figure, percentiles, quantile, rounded, timed } from "./measuring.js";

const BATCH = 500;
const QUESTIONS = 205;
const SNAPSHOT = { number: 1, seq: 1_000_000, excluding: [7], publishedAt: "2026-01-01T00:00:00.000Z" };
const ROUNDS = 3;

/** The same entities and edges as plainly as SQLite takes them: one transaction, texts in place, an index for each direction; no versions. */
function bulkInsert(path: string, records: readonly GraphRecord[]): DatabaseSync {
	const bare = new DatabaseSync(path);
	bare.exec(`
		PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
		CREATE TABLE entity (key TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, props TEXT NOT NULL) STRICT;
		CREATE INDEX entity_name ON entity (name);
		CREATE TABLE edge (source TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL) STRICT;
		CREATE INDEX edge_source ON edge (source);
		CREATE INDEX edge_target ON edge (target);
		BEGIN;
	`);
	const entity = bare.prepare("INSERT INTO entity VALUES (?, ?, ?, ?)");
	const edge = bare.prepare("INSERT INTO edge VALUES (?, ?, ?)");
	for (const { key, kind, name, props, edges } of records) {
		entity.run(key, kind, name, JSON.stringify(props));
		for (const { kind, to } of edges) edge.run(key, kind, to);
	}
	bare.exec("COMMIT");
	return bare;
}

const TWO_HOPS = `
	WITH RECURSIVE around (key, depth) AS (
		SELECT :key, 0
		UNION SELECT e.target, depth + 1 FROM around CROSS JOIN edge e ON e.source = around.key WHERE depth < 2
		UNION SELECT e.source, depth + 1 FROM around CROSS JOIN edge e ON e.target = around.key WHERE depth < 2
	) SELECT n.* FROM (SELECT DISTINCT key FROM around) a CROSS JOIN entity n ON n.key = a.key`;

export const graph: Bench = {
	summary:
		"the graph in SQLite: a commit of 100,000 entities beside a bulk insert of them, two-hop questions over a million edges",
	async run({ full, note }) {
		const folder = await mkdtemp(join(tmpdir(), "lode-graph-bench-"));
		try {
			const commit = full ? 100_000 : 10_000;
			const records = generated(full ? 333_334 : 33_334);
			const staged: number[] = [];
			const bulk: number[] = [];
			// In turns: what else the machine does meets both.
			for (let round = 0; round < ROUNDS; round += 1) {
				const some = records.slice(0, commit);
				const store = createSqliteGraphStore({ path: join(folder, `commit-${round}.db`) });
				staged.push(
					(
						await timed(async () => {
							for (const batch of batchesOf(some, BATCH)) await store.stage(10, batch);
						})
					).ms,
				);
				await store.close();
				const { ms, value } = await timed(() => bulkInsert(join(folder, `bulk-${round}.db`), some));
				bulk.push(ms);
				value.close();
				note(`${commit} entities: ${rounded(staged.at(-1) ?? 0)} ms, bulk insert ${rounded(ms)} ms`);
			}
			const store = createSqliteGraphStore({ path: join(folder, "graph.db") });
			const bare = bulkInsert(join(folder, "bare.db"), records);
			try {
				for (const [at, batch] of batchesOf(records, BATCH).entries()) await store.stage(10 + at, batch);
				const scope = { snapshot: SNAPSHOT };
				const step = Math.floor(records.length / QUESTIONS);
				const keys = records.filter((_, n) => n % step === 0).map(({ key }) => key);
				const walked = await latencies(keys, (key) => walk(store, scope, [key], {}, { depth: 2, limit: 2_000 }));
				const shown = await latencies(keys, (key) => showGraph(store, scope, key, { depth: 2 }));
				const twoHops = bare.prepare(TWO_HOPS);
				const plain = await latencies(keys, async (key) => twoHops.all({ key }));
				const edges = records.reduce((sum, each) => sum + each.edges.length, 0);
				const beside = { name: "one recursive query of plain tables, p50, ms", value: quantile(plain, 0.5) };
				const figures = [
					figure(`a commit of ${commit.toLocaleString("en")} entities staged`, quantile(staged, 0.5), "ms", {
						name: "bulk insert of them, ms",
						value: quantile(bulk, 0.5),
					}),
					...percentiles(`two hops of neighbours among ${edges.toLocaleString("en")} edges`, walked, beside),
					...percentiles(`the same with the entities (graph show)`, shown, beside),
				];
				note(
					figures.map(({ name, value, beside }) => `${name} ${value} (${beside?.ratio} × ${beside?.name})`).join("; "),
				);
				return { figures, details: { edges, commit, staged, bulk, walked, shown, plain } };
			} finally {
				bare.close();
				await store.close();
			}
		} finally {
			await rm(folder, { recursive: true, force: true, maxRetries: 5 });
		}
	},
};
