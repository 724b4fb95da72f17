import { setImmediate as nextTurn } from "node:timers/promises";
import { canonicalJson } from "../../../domain/digest.js";
import { normalRecordDigest } from "../../../domain/entities.js";
import { schemaProblems } from "../../sqlite/schema-check.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import type { StoreProblem } from "../../versioned.port.js";
import { CHANGED_SEQ_FAULTS } from "./changed-seqs.js";
import type { GraphRecords, StoredRecord } from "./graph-records.js";
import { GRAPH_MIGRATIONS, lifetimeChecksum } from "./schema.js";

const PAGE = 1_000;
/** A report longer than this helps nobody. */
const MAX_PROBLEMS = 1_000;

/** Rows that nothing refers to, or that refer to nothing. Each query names them. */
const ORPHANS: readonly { readonly sql: string; readonly problem: string }[] = [
	{
		sql: `SELECT coalesce(t.text, 'term ' || e.target) AS record FROM edge e LEFT JOIN term t ON t.id = e.target
			WHERE NOT EXISTS (SELECT 1 FROM state WHERE id = e.state)`,
		problem: "an edge to it belongs to a state that is gone",
	},
	{
		sql: `SELECT k.text AS record FROM edge e JOIN state s ON s.id = e.state JOIN term k ON k.id = s.key
			WHERE NOT EXISTS (
				SELECT 1 FROM arrival a
				WHERE a.target = e.target AND a.kind = e.kind AND a.from_key = k.text AND a.state = e.state)`,
		problem: "an edge of it is not found from its other end",
	},
	{
		sql: `SELECT from_key AS record FROM arrival a
			WHERE NOT EXISTS (SELECT 1 FROM edge e WHERE e.state = a.state AND e.kind = a.kind AND e.target = a.target)`,
		problem: "its other end has an edge from it that it does not state",
	},
	{
		sql: "SELECT target AS record FROM provided p WHERE NOT EXISTS (SELECT 1 FROM state WHERE id = p.state)",
		problem: "a name of it belongs to a state that is gone",
	},
	{
		sql: "SELECT name AS record FROM origin o WHERE NOT EXISTS (SELECT 1 FROM state WHERE origin = o.id)",
		problem: "all states of this origin are gone",
	},
	{
		sql: "SELECT name AS record FROM source c WHERE NOT EXISTS (SELECT 1 FROM origin WHERE source = c.id)",
		problem: "all origins of this source are gone",
	},
	{
		sql: `SELECT text AS record FROM term t WHERE NOT EXISTS (SELECT 1 FROM state WHERE key = t.id)
			AND NOT EXISTS (SELECT 1 FROM arrival WHERE target = t.id) AND NOT EXISTS (SELECT 1 FROM provided WHERE name = t.id)`,
		problem: "all that referred to this text is gone",
	},
	...CHANGED_SEQ_FAULTS,
	{
		sql: "SELECT 'closed_below' AS record WHERE (SELECT count(*) FROM closed_below) <> 1",
		problem: "the mark below which seqs are closed is gone",
	},
];

/** Compares every record with what it was when it was staged, and asks SQLite about its file and indices. */
export async function checkGraph(database: SqliteDatabase, records: GraphRecords): Promise<StoreProblem[]> {
	const problems: StoreProblem[] = [];
	const parts = [
		async () => {
			for (const { integrity_check: line } of database
				.prepare("PRAGMA integrity_check(100)")
				.all<{ integrity_check: string }>())
				if (line !== "ok") problems.push({ record: "graph database", problem: line });
		},
		async () => {
			problems.push(...schemaProblems(database, GRAPH_MIGRATIONS));
		},
		() => checkRecords(database, records, problems),
		async () => {
			for (const { sql, problem } of ORPHANS)
				for (const { record } of database.prepare(`${sql} LIMIT ${MAX_PROBLEMS}`).all<{ record: string }>())
					problems.push({ record, problem });
		},
	];
	for (const part of parts) {
		try {
			await part();
		} catch (error) {
			// A damaged page stops a part, not the report.
			problems.push({ record: "graph database", problem: error instanceof Error ? error.message : String(error) });
		}
	}
	return problems.slice(0, MAX_PROBLEMS);
}

async function checkRecords(database: SqliteDatabase, records: GraphRecords, problems: StoreProblem[]): Promise<void> {
	for (let after = Number.MIN_SAFE_INTEGER; problems.length < MAX_PROBLEMS; await nextTurn()) {
		const ids = database
			.prepare(`SELECT id FROM state WHERE id > ? ORDER BY id LIMIT ${PAGE}`)
			.all<{ id: number }>([after])
			.map((row) => row.id);
		const last = ids.at(-1);
		if (last === undefined) return;
		after = last;
		for (const stored of records.load(ids)) {
			const problem = problemOf(stored);
			if (problem === undefined) continue;
			const { source, origin, key } = stored.record;
			problems.push({
				...(source === "" ? {} : { source }),
				record: `${origin || `origin ${stored.originId}`} ${key || `state ${stored.id}`}`,
				problem,
			});
		}
	}
}

function problemOf(stored: StoredRecord): string | undefined {
	const { record, digest, checksum, addedAt, removedAt } = stored;
	if (normalRecordDigest(record) !== Buffer.from(digest).toString("hex"))
		return "its content, edges or names are not those that were staged";
	if (Buffer.compare(lifetimeChecksum(digest, addedAt, removedAt), checksum) !== 0)
		return "its lifetime is not the one that was recorded";
	if (canonicalJson(record.props) !== stored.propsText)
		return "its properties are written otherwise than they were staged";
	if (stored.providedTargets.some((target) => target !== record.key)) return "a name of it leads to another entity";
	return undefined;
}
