import type { Kysely } from "kysely";
import { AppendSignal } from "../../events/sql/append-signal.js";
import { createKysely } from "../../sqlite/kysely-sqlite.js";
import { type OpenOptions, openDatabase, type SqliteDatabase } from "../../sqlite/sqlite-database.js";
import type { CatalogTables } from "../sql/catalog-tables.js";
import { CATALOG_MIGRATIONS } from "./catalog-schema.js";

/** One opened `catalog.db`, shared by the catalog and the event store: a transition and its event are one transaction. */
export interface CatalogDatabase {
	readonly path: string;
	readonly database: SqliteDatabase;
	readonly kysely: Kysely<CatalogTables>;
	/** Wakes the event subscriptions of this process. */
	readonly signal: AppendSignal;
	close(): void;
}

/** @throws PERMISSION_DENIED, DISK_FULL, STORE_CORRUPT, STORE_UNAVAILABLE */
export function openCatalogDatabase(path: string, { mapped }: Pick<OpenOptions, "mapped"> = {}): CatalogDatabase {
	const database = openDatabase({ path, role: "catalog", synchronous: "FULL", mapped, migrations: CATALOG_MIGRATIONS });
	return {
		path,
		database,
		kysely: createKysely<CatalogTables>(database),
		signal: new AppendSignal(),
		close: () => database.close(),
	};
}
