import { describe } from "vitest";
import { createWeaviateVectorStore } from "../../src/stores/vectors/weaviate/weaviate-vectors.adapter.js";
import { newInstallation } from "../support/server-profile.js";
import { hasServer, useServer } from "../support/servers.js";
import { vectorsContract } from "./vectors.contract.js";

// Real: Weaviate.
describe.runIf(hasServer("weaviate"))("on Weaviate", () => {
	vectorsContract(
		"Weaviate vectors",
		async () => {
			const options = { ...(await useServer("weaviate")), apiKey: undefined, installation: newInstallation() };
			const store = createWeaviateVectorStore(options);
			return { store, reopen: async () => createWeaviateVectorStore(options), destroy: () => store.close() };
		},
		// Each of its steps is several requests.
		{ modelRuns: 4 },
	);
});
