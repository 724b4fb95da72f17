import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import { vectorsContract } from "./vectors.contract.js";

const contract = (name: string, memoryBytes: number) =>
	vectorsContract(name, async () => {
		const folder = await mkdtemp(join(tmpdir(), "lode-vectors-"));
		const path = join(folder, "vectors.db");
		const open = async () => {
			const store = createSqliteVectorStore({ path, memoryBytes });
			await store.ready();
			return store;
		};
		const store = await open();
		return {
			store,
			reopen: open,
			destroy: async () => {
				await store.close();
				await rm(folder, { recursive: true, force: true });
			},
		};
	});

contract("sqlite vectors", 0);
contract("sqlite vectors with an index in memory", 2 ** 26);
