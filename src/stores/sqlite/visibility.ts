import type { Snapshot } from "../../domain/snapshot.js";

/**
 * The one visibility rule (`isVisible` in domain/snapshot.ts) as an SQL condition over `alias.added_at` and `alias.removed_at`.
 * Most snapshots exclude nothing and get the short form, so a query has two texts at most. Bind `snapshotParameters(snapshot)`.
 */
export function visible(alias: string, snapshot: Snapshot): string {
	if (snapshot.excluding.length === 0) {
		return `(${alias}.added_at <= :seq AND (${alias}.removed_at IS NULL OR ${alias}.removed_at > :seq))`;
	}
	const excluded = "(SELECT value FROM json_each(:excluding))";
	return (
		`(${alias}.added_at <= :seq AND ${alias}.added_at NOT IN ${excluded} AND ` +
		`(${alias}.removed_at IS NULL OR ${alias}.removed_at > :seq OR ${alias}.removed_at IN ${excluded}))`
	);
}

/** That a seq in a column is committed in the snapshot; false for null. Bind `snapshotParameters(snapshot)`. */
export function committed(column: string, snapshot: Snapshot): string {
	if (snapshot.excluding.length === 0) return `(${column} IS NOT NULL AND ${column} <= :seq)`;
	return `(${column} IS NOT NULL AND ${column} <= :seq AND ${column} NOT IN (SELECT value FROM json_each(:excluding)))`;
}

/** What `visible` and `committed` need bound: exactly the names that they use. */
export function snapshotParameters(snapshot: Snapshot): Record<string, number | string> {
	return snapshot.excluding.length === 0
		? { seq: snapshot.seq }
		: { seq: snapshot.seq, excluding: JSON.stringify(snapshot.excluding) };
}
