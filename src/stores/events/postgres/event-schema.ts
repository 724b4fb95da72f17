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
