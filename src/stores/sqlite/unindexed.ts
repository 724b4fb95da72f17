import { type RawBuilder, sql } from "kysely";

/**
 * A text column in a condition that no engine looks up in an index. Without statistics, as in a new home, SQLite takes an index for
 * equality to be the narrow one; where nearly every row passes it, this leaves the index that is.
 */
export function unindexed(column: string): RawBuilder<string> {
	return sql<string>`(${sql.ref(column)} || '')`;
}
