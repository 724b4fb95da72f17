import { describe } from "vitest";
import { createDgraphGraphStore } from "../../src/stores/graph/dgraph/dgraph-graph.adapter.js";
import { newInstallation } from "../support/server-profile.js";
import { hasServer, useServer } from "../support/servers.js";
import { graphStoreContract } from "./graph.contract.js";

// Real: Dgraph.
describe.runIf(hasServer("dgraph"))("on Dgraph", () => {
	graphStoreContract("Dgraph graph", {
		create: async () => {
			const options = { address: (await useServer("dgraph")).address, installation: newInstallation() };
			const store = createDgraphGraphStore(options);
			return {
				store,
				reopen: async () => createDgraphGraphStore(options),
				destroy: () => store.close(),
			};
		},
		// Each of its steps is a transaction of some milliseconds.
		modelRuns: 8,
	});
});
