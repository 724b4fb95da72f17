import type { RecordKind } from "../../../../domain/mined-file.js";
import type { SqliteDatabase } from "../../../sqlite/sqlite-database.js";
import type { IndexedRow } from "./row-table.js";

export interface StoredRow extends IndexedRow {
	readonly bits: Uint8Array;
	/** Terms of each column in full text, as FTS5 keeps them. */
	readonly sz: Uint8Array | null;
	readonly floats: Uint8Array | null;
}

export interface StoredText {
	readonly id: number;
	readonly kind: RecordKind;
	readonly text: string;
	readonly path: string;
	readonly symbol?: string;
}

/** The next rows after an id, with the vectors of some models. */
export function readRows(
	database: SqliteDatabase,
	index: string,
	after: number,
	limit: number,
	models: readonly number[],
): StoredRow[] {
	const [floats, vectors] =
		models.length === 0
			? ["NULL AS floats", ""]
			: ["v.floats", `LEFT JOIN vector v ON v.id = c.id AND c.model_id IN (${models.map(Math.trunc).join(", ")})`];
	return database
		.prepare(
			`SELECT c.id, c.model_id, c.source_id, c.group_id, c.kind_id, c.language_id, c.path_id, c.added_at, c.removed_at, c.bits, d.sz, ${floats}
			FROM chunk c LEFT JOIN ${index}_docsize d ON d.id = c.id ${vectors} WHERE c.id > ? ORDER BY c.id LIMIT ?`,
		)
		.all<StoredRow>([after, limit]);
}

/** What stands of rows in full text. */
export function readTexts(database: SqliteDatabase, ids: readonly number[]): StoredText[] {
	return database
		.prepare(
			`SELECT c.id, k.text AS kind, t.text, t.symbol, p.text AS path FROM chunk c
			JOIN content t ON t.id = c.id JOIN path p ON p.id = c.path_id JOIN name k ON k.id = c.kind_id
			WHERE c.id IN (SELECT value FROM json_each(?))`,
		)
		.all<Omit<StoredText, "symbol"> & { symbol: string | null }>([JSON.stringify(ids)])
		.map(({ symbol, ...row }) => ({ ...row, ...(symbol !== null && { symbol }) }));
}

/** The sum of varints. */
export function termCount(sizes: Uint8Array | null): number {
	if (sizes === null) return 0;
	let [sum, value] = [0, 0];
	for (let at = 0; at < sizes.length; at += 1) {
		const byte = sizes[at] as number;
		value = value * 128 + (byte & 0x7f);
		if (byte >= 0x80) continue;
		sum += value;
		value = 0;
	}
	return sum;
}
