import { type Client, WorkflowIdConflictPolicy } from "@temporalio/client";
import { reindexWorkflowId } from "../../workflows/contracts/ids.js";
import { groupsChangedSignal } from "../../workflows/contracts/reindex-source.js";
import type { reindexSource } from "../../workflows/reindex-source.js";

/** Has what was changed of a source's groups taken up; one that runs looks anew. */
export function startReindex(temporal: Pick<Client, "workflow">, taskQueue: string, source: string) {
	return temporal.workflow.signalWithStart<typeof reindexSource>("reindexSource", {
		workflowId: reindexWorkflowId(source),
		taskQueue,
		args: [{ source }],
		signal: groupsChangedSignal,
		signalArgs: [],
		workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
		searchAttributes: { LodeSource: [source] },
		staticSummary: `re-indexes ${source}`,
		workflowTaskTimeout: "5 seconds",
	});
}
