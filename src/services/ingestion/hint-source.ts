import { type Client, WorkflowIdConflictPolicy } from "@temporalio/client";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { refChangedSignal } from "../../workflows/contracts/follow-source.js";
import { followWorkflowId } from "../../workflows/contracts/ids.js";
import type { followSource } from "../../workflows/follow-source.js";

/** Starts the source's workflow where it does not run, and has it look at the branch: which commits there are follows from that. */
export async function hintSource(temporal: Pick<Client, "workflow">, taskQueue: string, source: Source): Promise<void> {
	await temporal.workflow.signalWithStart<typeof followSource>("followSource", {
		workflowId: followWorkflowId(source.id),
		taskQueue,
		args: [{ source: source.id, policy: source.policy }],
		workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
		searchAttributes: { LodeSource: [source.id] },
		staticSummary: `follows ${source.id}`,
		workflowTaskTimeout: "5 seconds",
		signal: refChangedSignal,
		signalArgs: [],
	});
}
