import type { Kysely } from "kysely";
import { type CatalogDatabase, openCatalogDatabase } from "../../catalog/sqlite/catalog-database.js";
import type { EventStore } from "../events.port.js";
import type { EventTables } from "../sql/event-tables.js";
import { SqlEventStore } from "../sql/sql-event-store.adapter.js";

export type SqliteEventStoreOptions = {
	/** ISO 8601, UTC; the system's clock where omitted. */
	readonly now?: () => string;
	/** How long a subscription sleeps before it looks for events of other processes; default 250. */
	readonly pollMs?: number;
} & (
	| { readonly path: string }
	/** An open one, which its owner closes. */
	| { readonly database: CatalogDatabase }
);

/** The event store in the catalog's SQLite file. */
export function createSqliteEventStore(options: SqliteEventStoreOptions): EventStore {
	const own = "path" in options;
	const db = own ? openCatalogDatabase(options.path) : options.database;
	return new SqlEventStore({
		// Kysely's types do not see that the catalog's tables include the log's.
		kysely: db.kysely as unknown as Kysely<EventTables>,
		signal: db.signal,
		now: options.now ?? (() => new Date().toISOString()),
		pollMs: options.pollMs ?? 250,
		release: () => {
			if (own) db.close();
		},
	});
}
