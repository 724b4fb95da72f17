import { WorkflowNotFoundError } from "@temporalio/client";
import { LodeError } from "../../domain/errors.js";
import type { Ingestion } from "../../stores/catalog/catalog.port.js";
import type { Ports } from "../ports.js";

/** Whether the workflow of an ingestion runs, so that it will end the ingestion itself. @throws TEMPORAL_UNAVAILABLE */
export async function workflowRuns(temporal: Ports["temporal"], ingestion: Ingestion): Promise<boolean> {
	try {
		const { status } = await temporal.workflow.getHandle(ingestion.workflowId, ingestion.runId).describe();
		return status.name === "RUNNING";
	} catch (error) {
		if (error instanceof WorkflowNotFoundError) return false;
		throw new LodeError("TEMPORAL_UNAVAILABLE", `asking Temporal about ${ingestion.workflowId} failed`, {
			cause: error,
		});
	}
}
