/** The event log's tables in SQLite; columns are explained in ../sql/event-tables.ts. Part of the catalog's first migration. */
export const EVENTS_SQL = `
	CREATE TABLE event_log (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL) STRICT;
	INSERT INTO event_log VALUES (1, 0);
	CREATE TABLE stream (name TEXT PRIMARY KEY, version INTEGER NOT NULL, seal TEXT NOT NULL) STRICT, WITHOUT ROWID;
	CREATE TABLE event (
		position INTEGER PRIMARY KEY,
		stream TEXT NOT NULL,
		version INTEGER NOT NULL,
		id TEXT NOT NULL,
		type TEXT NOT NULL,
		time TEXT NOT NULL,
		data TEXT NOT NULL,
		correlation_id TEXT NOT NULL,
		causation_id TEXT,
		idempotency_key TEXT NOT NULL,
		source TEXT,
		seal TEXT NOT NULL,
		UNIQUE (stream, version),
		UNIQUE (stream, idempotency_key)
	) STRICT;
	CREATE TABLE checkpoint (consumer TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What exactly-once consumers keep (../sql/projection.ts), and the first of them. Part of the catalog's second migration. */
export const PROJECTIONS_SQL = `
	CREATE TABLE processed_event (
		consumer TEXT NOT NULL,
		event TEXT NOT NULL,
		PRIMARY KEY (consumer, event)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE consumer_stream (
		consumer TEXT NOT NULL,
		stream TEXT NOT NULL,
		version INTEGER NOT NULL,
		PRIMARY KEY (consumer, stream)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE source_activity (
		source TEXT PRIMARY KEY,
		receipts INTEGER NOT NULL,
		published INTEGER NOT NULL,
		compensated INTEGER NOT NULL,
		last_receipt_at TEXT,
		last_published_at TEXT
	) STRICT, WITHOUT ROWID;
	CREATE INDEX event_source ON event (source, position);
	CREATE INDEX event_type ON event (type, position);
`;
