import type { Seq } from "../../domain/snapshot.js";
import type { SqliteDatabase } from "./sqlite-database.js";

/** The highest seq in these columns of a table, or closed; 0 where there is none. Each column needs an index that begins with it. */
export function highestSeq(database: SqliteDatabase, table: string, columns: readonly string[]): Seq {
	const highest = [
		// Said for indices that leave out what is current.
		...columns.map((column) => `SELECT max(${column}) AS seq FROM ${table} WHERE ${column} IS NOT NULL`),
		"SELECT max(seq) FROM closed_seq",
		"SELECT seq FROM closed_below",
	];
	const sql = `SELECT coalesce(max(seq), 0) AS seq FROM (${highest.join(" UNION ALL ")})`;
	return database.prepare(sql).get<{ seq: number }>()?.seq ?? 0;
}
