import { WorkflowIdConflictPolicy } from "@temporalio/client";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { followWorkflowId } from "../../workflows/contracts/ids.js";

/** How the workflow of a source is started, where it does not run already. */
export function followOptions(source: Source, taskQueue: string) {
	return {
		workflowId: followWorkflowId(source.id),
		taskQueue,
		args: [{ source: source.id, policy: source.policy }] as [{ source: string; policy: Source["policy"] }],
		workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
		searchAttributes: { LodeSource: [source.id] },
		staticSummary: `follows ${source.id}`,
		workflowTaskTimeout: "5 seconds" as const,
	};
}
