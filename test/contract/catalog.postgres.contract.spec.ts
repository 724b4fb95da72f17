import { describe } from "vitest";
import { openPostgresCatalogDatabase } from "../../src/stores/catalog/postgres/catalog-database.js";
import { createPostgresCatalog } from "../../src/stores/catalog/postgres/postgres-catalog.adapter.js";
import { createPostgresEventStore } from "../../src/stores/events/postgres/postgres-event-store.adapter.js";
import { testPostgres } from "../support/postgres-database.js";
import { hasServer } from "../support/servers.js";
import { catalogContract } from "./catalog.contract.js";
import { catalogRestoreContract } from "./catalog-restore.contract.js";

// Real: Postgres.
describe.runIf(hasServer("postgres"))("on Postgres", () => {
	const create = async (now: () => string) => {
		const { open, destroy } = await testPostgres();
		const openBoth = async () => {
			const database = openPostgresCatalogDatabase(open());
			return {
				catalog: createPostgresCatalog({ database, now }),
				events: createPostgresEventStore({ database, now }),
			};
		};
		return { ...(await openBoth()), reopen: openBoth, destroy };
	};
	catalogContract("Postgres", create, 10);
	catalogRestoreContract("Postgres", create, 4);
});
