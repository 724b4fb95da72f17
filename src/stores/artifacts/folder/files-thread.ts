import { workerData } from "node:worker_threads";
import { answeringCalls } from "../../sqlite/store-call.js";
import { createArchiveFiles } from "./folder-artifacts.adapter.js";
import { unpackObjects } from "./packed-files.js";

/** Runs in the thread of the archive's files: see threaded-files. */
export default answeringCalls(() => createArchiveFiles(workerData), { put: unpackObjects });
