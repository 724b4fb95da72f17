import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";
import { readVarints } from "../varints.js";
import type { IndexedRow } from "./row-table.js";

export interface StoredRow extends IndexedRow {
	readonly kind: string | null;
	readonly model: string | null;
	readonly dimensions: number | null;
	readonly bits: Uint8Array;
	/** Terms of all columns in full text. */
	readonly length: number;
}

interface Row extends Omit<StoredRow, "length" | "kind" | "model" | "dimensions"> {
	readonly sz: Uint8Array | null;
}

/** The next rows after an id. */
export function readRows(database: SqliteDatabase, index: string, after: number, limit: number): StoredRow[] {
	const rows = database
		.prepare(
			`SELECT c.id, c.model_id, c.source_id, c.group_id, c.kind_id, c.language_id, c.path_id, c.added_at, c.removed_at, c.bits, d.sz
			FROM chunk c LEFT JOIN ${index}_docsize d ON d.id = c.id WHERE c.id > ? ORDER BY c.id LIMIT ?`,
		)
		.all<Row>([after, limit]);
	if (rows.length === 0) return [];
	const kinds = texts(database, "SELECT id, text FROM name WHERE id IN (SELECT value FROM json_each(?))", rows);
	const models = new Map(
		database
			.prepare("SELECT id, text, dimensions FROM model")
			.all<{ id: number; text: string; dimensions: number }>()
			.map(({ id, ...model }) => [id, model]),
	);
	return rows.map((row) => {
		const model = models.get(row.model_id);
		return {
			...row,
			kind: kinds.get(row.kind_id) ?? null,
			model: model?.text ?? null,
			dimensions: model?.dimensions ?? null,
			length: row.sz === null ? 0 : readVarints(row.sz).reduce((sum, size) => sum + size, 0),
		};
	});
}

function texts(database: SqliteDatabase, sql: string, rows: readonly Row[]): Map<number, string> {
	const ids = JSON.stringify([...new Set(rows.map(({ kind_id }) => kind_id))]);
	return new Map(
		database
			.prepare(sql)
			.all<{ id: number; text: string }>([ids])
			.map(({ id, text }) => [id, text]),
	);
}
