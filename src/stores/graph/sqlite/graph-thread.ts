import { workerData } from "node:worker_threads";
import { answeringCalls } from "../../sqlite/store-call.js";
import { unpackRecords } from "./packed-records.js";
import { createSqliteGraphStore } from "./sqlite-graph.adapter.js";

/** Runs in the thread of the graph: see threaded-graph. */
export default answeringCalls(() => createSqliteGraphStore(workerData), { stage: unpackRecords });
