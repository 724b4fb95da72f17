import type { Kysely } from "kysely";
import type { PostgresCatalogDatabase } from "../../catalog/postgres/catalog-database.js";
import type { EventStore } from "../events.port.js";
import type { EventTables } from "../sql/event-tables.js";
import { SqlEventStore } from "../sql/sql-event-store.adapter.js";

export interface PostgresEventStoreOptions {
	/** An open one, which its owner closes. */
	readonly database: PostgresCatalogDatabase;
	/** ISO 8601, UTC; the system's clock where omitted. */
	readonly now?: () => string;
	/** How long a subscription sleeps before it looks for events of other processes; default 250. */
	readonly pollMs?: number;
}

/** The event store in the catalog's schema: a transition and its event are one transaction. */
export function createPostgresEventStore({ database, now, pollMs }: PostgresEventStoreOptions): EventStore {
	return new SqlEventStore({
		// Kysely's types do not see that the catalog's tables include the log's.
		kysely: database.kysely as unknown as Kysely<EventTables>,
		signal: database.signal,
		now: now ?? (() => new Date().toISOString()),
		pollMs: pollMs ?? 250,
		release: () => undefined,
	});
}
