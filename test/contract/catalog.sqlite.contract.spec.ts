import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCatalogDatabase } from "../../src/stores/catalog/sqlite/catalog-database.js";
import { createSqliteCatalog } from "../../src/stores/catalog/sqlite/sqlite-catalog.adapter.js";
import { createSqliteEventStore } from "../../src/stores/events/sqlite/sqlite-event-store.adapter.js";
import { catalogContract } from "./catalog.contract.js";
import { catalogRestoreContract } from "./catalog-restore.contract.js";

const create = async (now: () => string) => {
	const folder = await mkdtemp(join(tmpdir(), "lode-catalog-"));
	const closing: (() => Promise<void>)[] = [];
	const open = async () => {
		const database = openCatalogDatabase(join(folder, "catalog.db"));
		const catalog = createSqliteCatalog({ database, now });
		const events = createSqliteEventStore({ database, now });
		closing.push(async () => {
			await events.close();
			await catalog.close();
			database.close();
		});
		return { catalog, events };
	};
	return {
		...(await open()),
		reopen: open,
		destroy: async () => {
			for (const close of closing) await close();
			await rm(folder, { recursive: true, force: true });
		},
	};
};

catalogContract("SQLite", create);
catalogRestoreContract("SQLite", create);
