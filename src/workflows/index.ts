/** What the worker registers: the workflow bundle is built from this file. */
export { archiveEvents } from "./archive-events.js";
export { followSource } from "./follow-source.js";
export { ingestBatches } from "./ingest-batches.js";
export { ingestCommit } from "./ingest-commit.js";
export { collectGarbage, removeSource, verifySnapshot } from "./maintenance.js";
export { reconcileSources } from "./reconcile-sources.js";
export { reindexSource } from "./reindex-source.js";
