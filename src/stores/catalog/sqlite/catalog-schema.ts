import { EVENTS_SQL, PROJECTIONS_SQL } from "../../events/sqlite/event-schema.js";
import type { Migration } from "../../sqlite/sqlite-database.js";

/** Columns are explained in ../sql/catalog-tables.ts. Texts compare by their UTF-8 bytes, SQLite's default. */
const FIRST_SQL = `
	${EVENTS_SQL}
	CREATE TABLE source (
		id TEXT PRIMARY KEY,
		kind TEXT NOT NULL,
		address TEXT NOT NULL,
		branch TEXT NOT NULL,
		policy TEXT NOT NULL,
		created_at TEXT NOT NULL,
		removing INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE TABLE source_group (
		source TEXT NOT NULL REFERENCES source,
		name TEXT NOT NULL,
		definition TEXT NOT NULL,
		PRIMARY KEY (source, name)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE installation (
		id INTEGER PRIMARY KEY CHECK (id = 1),
		next_seq INTEGER NOT NULL,
		next_snapshot INTEGER NOT NULL,
		highest_seq INTEGER NOT NULL
	) STRICT;
	INSERT INTO installation VALUES (1, 1, 1, 0);
	CREATE TABLE ingestion (
		seq INTEGER PRIMARY KEY,
		id TEXT NOT NULL UNIQUE,
		source TEXT NOT NULL REFERENCES source,
		commit_id TEXT NOT NULL,
		base_commit TEXT,
		base_seq INTEGER,
		base_snapshot INTEGER NOT NULL,
		recipe TEXT NOT NULL,
		rebuild INTEGER NOT NULL,
		status TEXT NOT NULL,
		workflow_id TEXT NOT NULL,
		run_id TEXT NOT NULL UNIQUE,
		started_at TEXT NOT NULL,
		ended_at TEXT,
		snapshot INTEGER,
		stats TEXT,
		failure TEXT,
		totals TEXT,
		added TEXT,
		retired TEXT
	) STRICT;
	CREATE INDEX ingestion_source ON ingestion (source, status, seq);
	CREATE INDEX ingestion_commit ON ingestion (commit_id);
	-- A partial index: begin, publish and readers ask which are open each time, and published ones pile up.
	CREATE INDEX ingestion_open ON ingestion (status, seq) WHERE status <> 'published';
	CREATE TABLE batch (
		seq INTEGER NOT NULL,
		name TEXT NOT NULL,
		added TEXT NOT NULL,
		retired TEXT NOT NULL,
		PRIMARY KEY (seq, name)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE entry (
		source TEXT NOT NULL,
		origin TEXT NOT NULL,
		added_at INTEGER NOT NULL,
		removed_at INTEGER,
		batch TEXT NOT NULL,
		removed_batch TEXT,
		content TEXT NOT NULL,
		seal TEXT NOT NULL,
		PRIMARY KEY (source, origin, added_at)
	) STRICT;
	CREATE INDEX entry_added ON entry (added_at, origin);
	CREATE INDEX entry_removed ON entry (removed_at, origin) WHERE removed_at IS NOT NULL;
	CREATE TABLE snapshot (
		number INTEGER PRIMARY KEY,
		seq INTEGER NOT NULL,
		excluding TEXT NOT NULL,
		published_at TEXT NOT NULL UNIQUE,
		ingestion INTEGER NOT NULL
	) STRICT;
	CREATE TABLE horizon (source TEXT PRIMARY KEY REFERENCES source, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What was removed is asked for source by source: a collection reads what it takes, however much of other sources is kept. */
const REMOVED_BY_SOURCE_SQL = `
	DROP INDEX entry_removed;
	CREATE INDEX entry_removed ON entry (source, removed_at, origin) WHERE removed_at IS NOT NULL;
`;

export const CATALOG_MIGRATIONS: readonly Migration[] = [
	{ version: 1, name: "catalog and events", sql: FIRST_SQL },
	{ version: 2, name: "exactly-once consumers of events", sql: PROJECTIONS_SQL },
	{ version: 3, name: "removed entries by source", sql: REMOVED_BY_SOURCE_SQL },
];
