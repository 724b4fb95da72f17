import { openStoreInThread, type StoreThreadOptions } from "../../sqlite/store-thread.js";
import type { VectorStore } from "../vectors.port.js";
import { packChunks } from "./packed-chunks.js";
import type { SqliteVectorStoreOptions } from "./sqlite-vectors.adapter.js";

/** The vectors of `createSqliteVectorStore` in a thread of their own. `entry`: vectors-thread beside this file. */
export function openThreadedVectors(
	entry: StoreThreadOptions["entry"],
	options: SqliteVectorStoreOptions,
): Promise<VectorStore> {
	const own = { capabilities: { refusesClosedSeq: true } };
	return openStoreInThread<VectorStore>({ entry, role: "vector", options }, own, { stage: packChunks });
}
