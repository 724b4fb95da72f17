import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";

/** Longer ago than so many changes, a memory index is built anew. */
const KEPT = 500;

/**
 * Notes which chunks the transaction changed or deleted (not those that it added: their ids are above all earlier ones), so that a memory
 * index of another process, or of this one, reads them again. Undefined: all of them. Call it in the transaction that changes them.
 */
export function recordChange(database: SqliteDatabase, ids: readonly number[] | undefined): void {
	if (ids?.length === 0) return;
	const { lastInsertRowid: version } = database
		.prepare("INSERT INTO chunk_change (ids) VALUES (?)")
		.run([ids === undefined ? null : JSON.stringify(ids)]);
	database.prepare("DELETE FROM chunk_change WHERE version <= ?").run([version - KEPT]);
}

/** The number of the newest change; 0 before the first one. */
export function newestChange(database: SqliteDatabase): number {
	return (
		database.prepare("SELECT max(version) AS version FROM chunk_change").get<{ version: number | null }>()?.version ?? 0
	);
}

/** The chunks that changed after a version; undefined where that is no longer known, or all of them did. */
export function changedAfter(
	database: SqliteDatabase,
	version: number,
): { version: number; ids: number[] } | undefined {
	const rows = database
		.prepare("SELECT version, ids FROM chunk_change WHERE version > ? ORDER BY version")
		.all<{ version: number; ids: string | null }>([version]);
	const first = rows[0];
	if (first === undefined) return newestChange(database) === version ? { version, ids: [] } : undefined;
	if (first.version !== version + 1) return undefined;
	const ids = new Set<number>();
	for (const row of rows) {
		if (row.ids === null) return undefined;
		for (const id of JSON.parse(row.ids) as number[]) ids.add(id);
	}
	return { version: rows.at(-1)?.version ?? version, ids: [...ids] };
}
