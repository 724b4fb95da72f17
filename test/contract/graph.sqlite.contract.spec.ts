import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GraphStore } from "../../src/stores/graph/graph.port.js";
import { packRecords, unpackRecords } from "../../src/stores/graph/sqlite/packed-records.js";
import { createSqliteGraphStore } from "../../src/stores/graph/sqlite/sqlite-graph.adapter.js";
import { calledStore } from "../support/calls-in-process.js";
import { graphStoreContract } from "./graph.contract.js";

const contract = (name: string, open: (path: string) => GraphStore) =>
	graphStoreContract(name, {
		create: async () => {
			const folder = await mkdtemp(join(tmpdir(), "lode-graph-"));
			const path = join(folder, "graph.db");
			const store = open(path);
			return {
				store,
				reopen: async () => open(path),
				destroy: async () => {
					await store.close();
					await rm(folder, { recursive: true, force: true });
				},
			};
		},
	});

contract("SQLite graph", (path) => createSqliteGraphStore({ path }));
contract("SQLite graph by calls", (path) =>
	calledStore(
		createSqliteGraphStore({ path }),
		{ capabilities: { refusesClosedSeq: true } },
		{ stage: packRecords },
		{ stage: unpackRecords },
	),
);
