import { COMMIT_KIND } from "../../../domain/mined-file.js";
import { CLOSED_SEQS_SQL } from "../../sqlite/closed-seqs.js";
import type { Migration } from "../../sqlite/sqlite-database.js";

/**
 * `chunk` is narrow (metadata and sign bits, some 90 bytes a row), because every vector search reads all of it that
 * the filters let pass; what only the best need stands in `content` and `vector`. `life` is a checksum over the two columns that no
 * digest covers. The full-text index holds terms only (`contentless`): its text is in `content`. What commits say has an index of its own, so that BM25's statistics of
 * neither shift the other's.
 */
export const MIGRATIONS: readonly Migration[] = [
	{
		version: 1,
		name: "chunks, vectors, full text",
		sql: `
			CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
			CREATE TABLE path (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
			CREATE TABLE model (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, dimensions INTEGER NOT NULL) STRICT;
			CREATE TABLE chunk (
				id INTEGER PRIMARY KEY AUTOINCREMENT,
				model_id INTEGER NOT NULL,
				source_id INTEGER NOT NULL,
				group_id INTEGER NOT NULL,
				origin_id INTEGER NOT NULL,
				path_id INTEGER NOT NULL,
				language_id INTEGER,
				kind_id INTEGER NOT NULL,
				ordinal INTEGER NOT NULL,
				start_line INTEGER NOT NULL,
				end_line INTEGER NOT NULL,
				added_at INTEGER NOT NULL,
				removed_at INTEGER,
				life INTEGER NOT NULL,
				bits BLOB NOT NULL
			) STRICT;
			CREATE UNIQUE INDEX chunk_identity ON chunk (source_id, origin_id, group_id, ordinal, added_at);
			CREATE INDEX chunk_added ON chunk (added_at, source_id);
			CREATE INDEX chunk_removed ON chunk (removed_at, source_id) WHERE removed_at IS NOT NULL;
			CREATE TABLE content (
				id INTEGER PRIMARY KEY,
				symbol TEXT,
				symbol_tail TEXT,
				text TEXT NOT NULL,
				digest BLOB NOT NULL,
				terms INTEGER NOT NULL
			) STRICT;
			CREATE INDEX content_symbol ON content (symbol_tail) WHERE symbol_tail IS NOT NULL;
			CREATE TABLE vector (id INTEGER PRIMARY KEY, floats BLOB NOT NULL) STRICT;
			CREATE VIRTUAL TABLE terms USING fts5(text, path, symbol, content='', contentless_delete=1, tokenize='ascii');
			CREATE VIRTUAL TABLE term_rows USING fts5vocab('terms', 'row');
			CREATE VIRTUAL TABLE term_instances USING fts5vocab('terms', 'instance');
			${CLOSED_SEQS_SQL}
		`,
	},
	{
		version: 2,
		name: "full text of what commits say",
		sql: `
			CREATE VIRTUAL TABLE subjects USING fts5(text, path, symbol, content='', contentless_delete=1, tokenize='ascii');
			CREATE VIRTUAL TABLE subject_rows USING fts5vocab('subjects', 'row');
			CREATE VIRTUAL TABLE subject_instances USING fts5vocab('subjects', 'instance');
		`,
	},
	{
		version: 3,
		name: "which chunks changed",
		sql: `
			CREATE TABLE chunk_change (version INTEGER PRIMARY KEY, ids TEXT) STRICT;
		`,
	},
];

/** A full-text index and its views: terms with the number of their rows, and every occurrence. */
export interface FullTextIndex {
	readonly name: "terms" | "subjects";
	readonly rows: "term_rows" | "subject_rows";
	readonly instances: "term_instances" | "subject_instances";
}
const OF_CHUNKS: FullTextIndex = { name: "terms", rows: "term_rows", instances: "term_instances" };
const OF_COMMITS: FullTextIndex = { name: "subjects", rows: "subject_rows", instances: "subject_instances" };
export const FULL_TEXT_INDEXES: readonly FullTextIndex[] = [OF_CHUNKS, OF_COMMITS];
/** Which one a record of this kind stands in. */
export const fullTextIndexOf = (kind: string): FullTextIndex => (kind === COMMIT_KIND ? OF_COMMITS : OF_CHUNKS);

/** The checksum of a record's lifetime as SQL: in step with `lifeOf`. */
export const lifeSql = (added: string, removed: string): string =>
	`(${added} * 1000003 + coalesce(${removed} * 31 + 7, 0))`;
