import type { Client } from "@temporalio/client";
import { ingestStateQuery } from "../../workflows/contracts/ingest-commit.js";
import type { IngestProgress } from "../reports.js";

const DEADLINE_MS = 2_000;

/** How far an ingestion's workflow is. Undefined without an answer in time: it waits for a worker, or is not there. */
export async function askProgress(
	temporal: Client,
	workflowId: string,
	runId?: string,
): Promise<IngestProgress | undefined> {
	try {
		return await temporal.withDeadline(Date.now() + DEADLINE_MS, () =>
			temporal.workflow.getHandle(workflowId, runId).query(ingestStateQuery),
		);
	} catch {
		return undefined;
	}
}
