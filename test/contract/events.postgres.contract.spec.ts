import { describe } from "vitest";
import { openPostgresCatalogDatabase } from "../../src/stores/catalog/postgres/catalog-database.js";
import type { EventStore } from "../../src/stores/events/events.port.js";
import { createPostgresEventStore } from "../../src/stores/events/postgres/postgres-event-store.adapter.js";
import { testPostgres } from "../support/postgres-database.js";
import { hasServer } from "../support/servers.js";
import { eventStoreContract } from "./events.contract.js";

// Real: Postgres.
describe.runIf(hasServer("postgres"))("on Postgres", () => {
	eventStoreContract("Postgres", async () => {
		const { open, destroy } = await testPostgres();
		const opened: EventStore[] = [];
		const openEvents = async () => {
			const events = createPostgresEventStore({ database: openPostgresCatalogDatabase(open()), pollMs: 20 });
			opened.push(events);
			return events;
		};
		return {
			events: await openEvents(),
			reopen: openEvents,
			destroy: async () => {
				for (const events of opened) await events.close();
				await destroy();
			},
		};
	});
});
