import type { Seq } from "../../../domain/snapshot.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";

/**
 * `changed_seq` leads from a source to its states by when they were added or removed: exactly one row for each source, seq and way that has
 * states. A collection or a comparison of one source then reads nothing of the others, and costs a row an ingestion where an index of the
 * states by source would cost one a state.
 */
export const CHANGED_SEQS_SQL = `
	CREATE TABLE changed_seq (
		source INTEGER NOT NULL,
		what TEXT NOT NULL CHECK (what IN ('added', 'removed')),
		seq INTEGER NOT NULL,
		PRIMARY KEY (source, what, seq)
	) STRICT, WITHOUT ROWID;
	INSERT INTO changed_seq
		SELECT DISTINCT o.source, 'added', s.added_at FROM state s CROSS JOIN origin o ON o.id = s.origin
		UNION ALL
		SELECT DISTINCT o.source, 'removed', s.removed_at FROM state s CROSS JOIN origin o ON o.id = s.origin
		WHERE s.removed_at IS NOT NULL;
`;

type Change = "added" | "removed";
const CHANGES: readonly Change[] = ["added", "removed"];

/** The states of the rows of `changed_seq` that pass, as a `FROM` whose order SQLite keeps: `c` is the row, `s` the state, `o` its origin. */
export function changedStates(what: Change, where: string): string {
	return `FROM changed_seq c CROSS JOIN state s INDEXED BY state_${what} ON s.${what}_at = c.seq
		CROSS JOIN origin o ON o.id = s.origin AND o.source = c.source
		WHERE c.source = (SELECT id FROM source WHERE name = :source) AND c.what = '${what}' AND ${where}`;
}

/** Call it in the transaction that adds or removes the states. `source` is the source's number. */
export function recordChange(database: SqliteDatabase, source: number, what: Change, seq: Seq): void {
	database
		.prepare("INSERT INTO changed_seq (source, what, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
		.run([source, what, seq]);
}

/** Call it in the transaction that takes every removal at the seq back. */
export function forgetRemovals(database: SqliteDatabase, seq: Seq): void {
	database
		.prepare("DELETE FROM changed_seq WHERE source IN (SELECT id FROM source) AND what = 'removed' AND seq = ?")
		.run([seq]);
}

/** Scratch of a deletion, for each connection. */
export const FREED_CHANGES_SQL =
	"CREATE TEMP TABLE freed_change (source INTEGER, what TEXT, seq INTEGER, PRIMARY KEY (source, what, seq)) WITHOUT ROWID;";

/** Before the states of `doomed_state` are deleted. */
export const NOTE_DOOMED = CHANGES.map(
	(what) => `INSERT OR IGNORE INTO freed_change
		SELECT o.source, '${what}', s.${what}_at FROM doomed_state d
		CROSS JOIN state s ON s.id = d.id AND s.${what}_at IS NOT NULL CROSS JOIN origin o ON o.id = s.origin`,
);

/** No state of the source is left that changed so at the seq. */
const nothingAt = (what: Change) => `NOT EXISTS (
	SELECT 1 FROM state s INDEXED BY state_${what} CROSS JOIN origin o ON o.id = s.origin
	WHERE s.${what}_at = changed_seq.seq AND o.source = changed_seq.source)`;

/** After they were deleted, and before origins are. */
export const DELETE_FREED = [
	...CHANGES.map(
		(what) => `DELETE FROM changed_seq
			WHERE (source, what, seq) IN (SELECT source, what, seq FROM freed_change WHERE what = '${what}') AND ${nothingAt(what)}`,
	),
	"DELETE FROM freed_change",
];

/** For the check: rows that should be there, and rows that should not. Each query names them. */
export const CHANGED_SEQ_FAULTS = CHANGES.flatMap((what) => [
	{
		sql: `SELECT DISTINCT coalesce(c.name, 'source ' || o.source) || ', ${what} at ' || s.${what}_at AS record
			FROM state s CROSS JOIN origin o ON o.id = s.origin LEFT JOIN source c ON c.id = o.source
			WHERE s.${what}_at IS NOT NULL AND NOT EXISTS (
				SELECT 1 FROM changed_seq x WHERE x.source = o.source AND x.what = '${what}' AND x.seq = s.${what}_at)`,
		problem: "a collection or a comparison of the source would pass over it",
	},
	{
		sql: `SELECT coalesce(c.name, 'source ' || source) || ', ' || what || ' at ' || seq AS record
			FROM changed_seq LEFT JOIN source c ON c.id = source
			WHERE what = '${what}' AND ${nothingAt(what)}`,
		problem: "nothing of the source changed there",
	},
]);
