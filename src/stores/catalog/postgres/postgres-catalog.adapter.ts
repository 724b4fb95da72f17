import { schemaProblems } from "../../postgres/schema-check.js";
import type { Catalog } from "../catalog.port.js";
import { createSqlCatalog } from "../sql/sql-catalog.adapter.js";
import type { PostgresCatalogDatabase } from "./catalog-database.js";
import { CATALOG_COMPONENT } from "./catalog-schema.js";

export interface PostgresCatalogOptions {
	/** An open one, which its owner closes. */
	readonly database: PostgresCatalogDatabase;
	/** ISO 8601, UTC; the system's clock where omitted. */
	readonly now?: () => string;
}

/** The catalog in a schema of a Postgres database. */
export function createPostgresCatalog({ database, now }: PostgresCatalogOptions): Catalog {
	const { kysely, signal } = database;
	return createSqlCatalog({
		kysely,
		signal,
		now: now ?? (() => new Date().toISOString()),
		engineCheck: () => schemaProblems(database.database, CATALOG_COMPONENT),
		// The pool has a connection for everybody.
		withReader: (read) => read(kysely),
		release: () => undefined,
	});
}
