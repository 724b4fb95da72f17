/** The event log's tables in Postgres; columns are explained in ../sql/event-tables.ts. Part of the catalog's first migration. */
export const EVENTS_SQL = `
	CREATE TABLE event_log (id int PRIMARY KEY CHECK (id = 1), position bigint NOT NULL);
	INSERT INTO event_log VALUES (1, 0);
	CREATE TABLE stream (name text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, seal text NOT NULL);
	CREATE TABLE event (
		position bigint PRIMARY KEY,
		stream text COLLATE "C" NOT NULL,
		version bigint NOT NULL,
		id text NOT NULL,
		type text NOT NULL,
		time text COLLATE "C" NOT NULL,
		data text NOT NULL,
		correlation_id text NOT NULL,
		causation_id text,
		idempotency_key text COLLATE "C" NOT NULL,
		source text,
		seal text NOT NULL,
		UNIQUE (stream, version),
		UNIQUE (stream, idempotency_key)
	);
	CREATE TABLE checkpoint (consumer text COLLATE "C" PRIMARY KEY, position bigint NOT NULL);
`;

/** What exactly-once consumers keep (../sql/projection.ts), and the first of them. Part of the catalog's second migration. */
export const PROJECTIONS_SQL = `
	CREATE TABLE processed_event (
		consumer text COLLATE "C" NOT NULL,
		event text COLLATE "C" NOT NULL,
		PRIMARY KEY (consumer, event)
	);
	CREATE TABLE consumer_stream (
		consumer text COLLATE "C" NOT NULL,
		stream text COLLATE "C" NOT NULL,
		version bigint NOT NULL,
		PRIMARY KEY (consumer, stream)
	);
	CREATE TABLE source_activity (
		source text COLLATE "C" PRIMARY KEY,
		receipts bigint NOT NULL,
		published bigint NOT NULL,
		compensated bigint NOT NULL,
		last_receipt_at text,
		last_published_at text
	);
	CREATE INDEX event_source ON event (source, position);
	CREATE INDEX event_type ON event (type, position);
`;
