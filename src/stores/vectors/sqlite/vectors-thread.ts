import { workerData } from "node:worker_threads";
import { answeringCalls } from "../../sqlite/store-call.js";
import { unpackChunks } from "./packed-chunks.js";
import { createSqliteVectorStore } from "./sqlite-vectors.adapter.js";

/** Runs in the thread of the vectors: see threaded-vectors. */
export default answeringCalls(() => createSqliteVectorStore(workerData), { stage: unpackChunks });
