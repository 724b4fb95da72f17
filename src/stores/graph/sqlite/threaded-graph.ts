import { openStoreInThread, type StoreThreadOptions } from "../../sqlite/store-thread.js";
import type { GraphStore } from "../graph.port.js";
import { packRecords } from "./packed-records.js";
import type { SqliteGraphOptions } from "./sqlite-graph.adapter.js";

/** The graph of `createSqliteGraphStore` in a thread of its own. `entry`: graph-thread beside this file. */
export function openThreadedGraph(
	entry: StoreThreadOptions["entry"],
	options: SqliteGraphOptions,
): Promise<GraphStore> {
	const own = { capabilities: { refusesClosedSeq: true } };
	return openStoreInThread<GraphStore>({ entry, role: "graph", options }, own, { stage: packRecords });
}
