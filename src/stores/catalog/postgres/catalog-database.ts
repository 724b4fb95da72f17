import type { Kysely } from "kysely";
import { AppendSignal } from "../../events/sql/append-signal.js";
import type { PostgresDatabase } from "../../postgres/postgres-database.js";
import type { CatalogTables } from "../sql/catalog-tables.js";
import { CATALOG_COMPONENT } from "./catalog-schema.js";

/** The catalog's tables in Postgres, shared by the catalog and the event store. */
export interface PostgresCatalogDatabase {
	/** Closed by its owner. */
	readonly database: PostgresDatabase;
	readonly kysely: Kysely<CatalogTables>;
	/** Wakes the event subscriptions of this process. */
	readonly signal: AppendSignal;
}

export function openPostgresCatalogDatabase(database: PostgresDatabase): PostgresCatalogDatabase {
	return { database, kysely: database.use<CatalogTables>(CATALOG_COMPONENT), signal: new AppendSignal() };
}
