import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteEventStore } from "../../src/stores/events/sqlite/sqlite-event-store.adapter.js";
import { eventStoreContract } from "./events.contract.js";

eventStoreContract("SQLite", async () => {
	const folder = await mkdtemp(join(tmpdir(), "lode-events-"));
	const opened: ReturnType<typeof createSqliteEventStore>[] = [];
	const open = async () => {
		const events = createSqliteEventStore({ path: join(folder, "catalog.db"), pollMs: 20 });
		opened.push(events);
		return events;
	};
	return {
		events: await open(),
		reopen: open,
		destroy: async () => {
			for (const events of opened) await events.close();
			await rm(folder, { recursive: true, force: true });
		},
	};
});
