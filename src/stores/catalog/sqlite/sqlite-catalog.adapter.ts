import { schemaProblems } from "../../sqlite/schema-check.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { Catalog } from "../catalog.port.js";
import { createSqlCatalog } from "../sql/sql-catalog.adapter.js";
import { type CatalogDatabase, openCatalogDatabase } from "./catalog-database.js";
import { CATALOG_MIGRATIONS } from "./catalog-schema.js";

export { openCatalogDatabase };

export type SqliteCatalogOptions = {
	/** ISO 8601, UTC; the system's clock where omitted. */
	readonly now?: () => string;
} & (
	| { readonly path: string }
	/** An open one, which its owner closes. */
	| { readonly database: CatalogDatabase }
);

/** The catalog in one SQLite file, `<home>/catalog.db`. */
export function createSqliteCatalog(options: SqliteCatalogOptions): Catalog {
	const own = "path" in options;
	const db = own ? openCatalogDatabase(options.path) : options.database;
	return createSqlCatalog({
		kysely: db.kysely,
		signal: db.signal,
		now: options.now ?? (() => new Date().toISOString()),
		engineCheck: async () => integrityProblems(db),
		withReader: async (read) => {
			if (db.path === ":memory:") return read(db.kysely);
			// A check reads everything: on a connection of its own it keeps nobody of this process waiting.
			const reader = openCatalogDatabase(db.path);
			try {
				return await read(reader.kysely);
			} finally {
				reader.close();
			}
		},
		release: () => {
			if (own) db.close();
		},
	});
}

function integrityProblems({ database }: CatalogDatabase): StoreProblem[] {
	const lines = database.prepare("PRAGMA integrity_check").all<{ integrity_check: string }>();
	const broken = lines.filter((line) => line.integrity_check !== "ok");
	const orphans = database.prepare("PRAGMA foreign_key_check").all<{ table: string; parent: string }>();
	return [
		...schemaProblems(database, CATALOG_MIGRATIONS),
		...broken.map((line) => ({ record: "catalog database", problem: line.integrity_check })),
		...orphans.map(({ table, parent }) => ({ record: `table ${table}`, problem: `a row's ${parent} is missing` })),
	];
}
