import { type Client, WithStartWorkflowOperation, type WorkflowUpdateHandle } from "@temporalio/client";
import type { Source } from "../../stores/catalog/catalog.port.js";
import { type IngestRequest, ingestUpdate } from "../../workflows/contracts/follow-source.js";
import type { IngestOutcome } from "../../workflows/contracts/ingest-commit.js";
import type { followSource } from "../../workflows/follow-source.js";
import { followOptions } from "./follow-options.js";

/** Asks the source's workflow, which is started where it does not run, for a commit in its order. The same id asks once, however often it is used. */
export function startIngest(
	temporal: Pick<Client, "workflow">,
	taskQueue: string,
	source: Source,
	updateId: string,
	request: IngestRequest,
): Promise<WorkflowUpdateHandle<IngestOutcome>> {
	return temporal.workflow.startUpdateWithStart(ingestUpdate, {
		updateId,
		args: [request],
		waitForStage: "ACCEPTED",
		startWorkflowOperation: new WithStartWorkflowOperation<typeof followSource>(
			"followSource",
			followOptions(source, taskQueue),
		),
	});
}
