import { EVENTS_SQL, PROJECTIONS_SQL } from "../../events/postgres/event-schema.js";
import type { PostgresComponent } from "../../postgres/postgres-migrations.js";

/**
 * Columns are explained in ../sql/catalog-tables.ts. Whatever is compared or ordered has the collation "C": by bytes, as in every other
 * engine and in the domain. A b-tree takes keys of up to a third of a page: a path of more than about 2,600 bytes that cannot be compressed
 * is refused (`postgresError` names it).
 */
const FIRST_SQL = `
	${EVENTS_SQL}
	CREATE TABLE source (
		id text COLLATE "C" PRIMARY KEY,
		kind text NOT NULL,
		address text NOT NULL,
		branch text NOT NULL,
		policy text NOT NULL,
		created_at text NOT NULL,
		removing int NOT NULL
	);
	CREATE TABLE source_group (
		source text COLLATE "C" NOT NULL REFERENCES source,
		name text COLLATE "C" NOT NULL,
		definition text NOT NULL,
		PRIMARY KEY (source, name)
	);
	CREATE TABLE installation (
		id int PRIMARY KEY CHECK (id = 1),
		next_seq bigint NOT NULL,
		next_snapshot bigint NOT NULL,
		highest_seq bigint NOT NULL
	);
	INSERT INTO installation VALUES (1, 1, 1, 0);
	CREATE TABLE ingestion (
		seq bigint PRIMARY KEY,
		id text COLLATE "C" NOT NULL UNIQUE,
		source text COLLATE "C" NOT NULL REFERENCES source,
		commit_id text COLLATE "C" NOT NULL,
		base_commit text,
		base_seq bigint,
		base_snapshot bigint NOT NULL,
		recipe text NOT NULL,
		rebuild int NOT NULL,
		status text COLLATE "C" NOT NULL,
		workflow_id text NOT NULL,
		run_id text COLLATE "C" NOT NULL UNIQUE,
		started_at text NOT NULL,
		ended_at text,
		snapshot bigint,
		stats text,
		failure text,
		totals text,
		added text,
		retired text
	);
	CREATE INDEX ingestion_source ON ingestion (source, status, seq);
	CREATE INDEX ingestion_commit ON ingestion (commit_id);
	CREATE INDEX ingestion_open ON ingestion (status, seq) WHERE status <> 'published';
	CREATE TABLE batch (
		seq bigint NOT NULL,
		name text COLLATE "C" NOT NULL,
		added text NOT NULL,
		retired text NOT NULL,
		PRIMARY KEY (seq, name)
	);
	CREATE TABLE entry (
		source text COLLATE "C" NOT NULL,
		origin text COLLATE "C" NOT NULL,
		added_at bigint NOT NULL,
		removed_at bigint,
		batch text COLLATE "C" NOT NULL,
		removed_batch text,
		content text NOT NULL,
		seal text NOT NULL,
		PRIMARY KEY (source, origin, added_at)
	);
	CREATE INDEX entry_added ON entry (added_at, origin);
	CREATE INDEX entry_removed ON entry (removed_at, origin) WHERE removed_at IS NOT NULL;
	CREATE TABLE snapshot (
		number bigint PRIMARY KEY,
		seq bigint NOT NULL,
		excluding text NOT NULL,
		published_at text COLLATE "C" NOT NULL UNIQUE,
		ingestion bigint NOT NULL
	);
	CREATE TABLE horizon (source text COLLATE "C" PRIMARY KEY REFERENCES source, number bigint NOT NULL);
`;

/** What was removed is asked for source by source: a collection reads what it takes, however much of other sources is kept. */
const REMOVED_BY_SOURCE_SQL = `
	DROP INDEX entry_removed;
	CREATE INDEX entry_removed ON entry (source, removed_at, origin) WHERE removed_at IS NOT NULL;
`;

export const CATALOG_COMPONENT: PostgresComponent = {
	name: "catalog",
	migrations: [
		{ version: 1, name: "catalog and events", sql: FIRST_SQL },
		{ version: 2, name: "exactly-once consumers of events", sql: PROJECTIONS_SQL },
		{ version: 3, name: "removed entries by source", sql: REMOVED_BY_SOURCE_SQL },
	],
};
