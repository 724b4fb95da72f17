import type { ChunkRecord, RecordKind } from "../../../domain/mined-file.js";
import type { ChunkHit } from "../vectors.port.js";
import { floatsFrom } from "./vector-codec.js";

export interface HitRow {
	readonly id: number;
	readonly added_at: number;
	readonly source: string | null;
	readonly grp: string | null;
	readonly model: string | null;
	readonly origin: string | null;
	readonly path: string | null;
	readonly language: string | null;
	readonly kind: string | null;
	readonly ordinal: number;
	readonly start_line: number;
	readonly end_line: number;
	readonly symbol: string | null;
	readonly text: string | null;
}

export interface RecordRow extends HitRow {
	readonly floats: Uint8Array | null;
}

/** Outer joins: a record whose name, text or vector is gone must show up as another record, not vanish. */
const HIT_COLUMNS =
	"c.id, c.added_at, s.text AS source, g.text AS grp, m.text AS model, o.text AS origin, p.text AS path, l.text AS language, " +
	"k.text AS kind, c.ordinal, c.start_line, c.end_line, t.symbol, t.text AS text";
const HIT_JOINS = `
	LEFT JOIN name s ON s.id = c.source_id
	LEFT JOIN name g ON g.id = c.group_id
	LEFT JOIN model m ON m.id = c.model_id
	LEFT JOIN name o ON o.id = c.origin_id
	LEFT JOIN path p ON p.id = c.path_id
	LEFT JOIN name l ON l.id = c.language_id
	LEFT JOIN name k ON k.id = c.kind_id
	LEFT JOIN content t ON t.id = c.id`;

/** By ids: without statistics SQLite would rather go through an index of lifetimes, which every chunk passes. */
export const SELECT_HITS = `SELECT ${HIT_COLUMNS} FROM chunk c NOT INDEXED ${HIT_JOINS}`;
export const RECORD_COLUMNS = `${HIT_COLUMNS}, v.floats`;
export const RECORD_JOINS = `${HIT_JOINS} LEFT JOIN vector v ON v.id = c.id`;
export const SELECT_RECORDS = `SELECT ${RECORD_COLUMNS} FROM chunk c ${RECORD_JOINS}`;

function fields(row: HitRow): Omit<ChunkRecord, "vector"> {
	return {
		source: row.source ?? "",
		group: row.grp ?? "",
		model: row.model ?? "",
		origin: row.origin ?? "",
		path: row.path ?? "",
		...(row.language === null ? {} : { language: row.language }),
		ordinal: row.ordinal,
		kind: (row.kind ?? "") as RecordKind,
		startLine: row.start_line,
		endLine: row.end_line,
		...(row.symbol === null ? {} : { symbol: row.symbol }),
		text: row.text ?? "",
	};
}

export function toRecord(row: RecordRow): ChunkRecord {
	return { ...fields(row), vector: (row.floats && floatsFrom(row.floats)) ?? new Float32Array(0) };
}

export function toHit(row: HitRow, score: number): ChunkHit {
	return { id: String(row.id), addedAt: row.added_at, ...fields(row), score };
}

/** What a problem report calls it. */
export const recordName = (row: Pick<HitRow, "id" | "origin" | "ordinal">): string =>
	row.origin === null ? `chunk row ${row.id}` : `${row.origin} chunk ${row.ordinal}`;
