import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteGraphStore } from "../../src/stores/graph/sqlite/sqlite-graph.adapter.js";
import { graphStoreContract } from "./graph.contract.js";

graphStoreContract("SQLite graph", {
	create: async () => {
		const folder = await mkdtemp(join(tmpdir(), "lode-graph-"));
		const path = join(folder, "graph.db");
		const store = createSqliteGraphStore({ path });
		return {
			store,
			reopen: async () => createSqliteGraphStore({ path }),
			destroy: async () => {
				await store.close();
				await rm(folder, { recursive: true, force: true });
			},
		};
	},
});
