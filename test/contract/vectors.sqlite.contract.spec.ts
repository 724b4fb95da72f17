import { join } from "node:path";
import { packChunks, unpackChunks } from "../../src/stores/vectors/sqlite/packed-chunks.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import type { VectorStore } from "../../src/stores/vectors/vectors.port.js";
import { calledStore } from "../support/calls-in-process.js";
import { storeInFolder } from "../support/store-in-folder.js";
import { vectorsContract } from "./vectors.contract.js";

const contract = (name: string, memoryBytes: number, called: (store: VectorStore) => VectorStore = (store) => store) =>
	vectorsContract(name, () =>
		storeInFolder(async (folder) => {
			const store = createSqliteVectorStore({ path: join(folder, "vectors.db"), memoryBytes });
			await store.ready();
			return called(store);
		}),
	);

contract("sqlite vectors", 0);
contract("sqlite vectors with an index in memory", 2 ** 26);
contract("sqlite vectors by calls", 0, (store) =>
	calledStore(store, { capabilities: { refusesClosedSeq: true } }, { stage: packChunks }, { stage: unpackChunks }),
);
