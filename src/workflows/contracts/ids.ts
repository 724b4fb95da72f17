/** Workflow ids are business keys: starting the same work twice meets the one that runs. */
export const followWorkflowId = (source: string): string => `source/${source}`;
export const ingestWorkflowId = (source: string, commit: string): string => `ingest/${source}/${commit}`;
export const removeWorkflowId = (source: string): string => `remove/${source}`;
export const reindexWorkflowId = (source: string): string => `reindex/${source}`;
export const COLLECT_WORKFLOW_ID = "collect-garbage";
export const RECONCILE_WORKFLOW_ID = "reconcile-sources";
export const ARCHIVE_WORKFLOW_ID = "archive-events";
export const verifyWorkflowId = (command: string): string => `verify/${command}`;
