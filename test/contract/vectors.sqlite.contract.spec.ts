import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import { vectorsContract } from "./vectors.contract.js";

vectorsContract("sqlite vectors", async () => {
	const folder = await mkdtemp(join(tmpdir(), "lode-vectors-"));
	const path = join(folder, "vectors.db");
	const store = createSqliteVectorStore({ path });
	return {
		store,
		reopen: async () => createSqliteVectorStore({ path }),
		destroy: async () => {
			await store.close();
			await rm(folder, { recursive: true, force: true });
		},
	};
});
