import type { Client } from "@temporalio/client";
import { ingestStateQuery, type Stage } from "../../workflows/contracts/ingest-commit.js";
import type { IngestProgress, Waiting } from "../reports.js";

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

/**
 * The same, where it is being undone; else undefined. That it is, the server knows: only then it costs a task of the workflow, which a worker may
 * have to read from its history first.
 */
export async function askUndoing(temporal: Client, workflowId: string): Promise<IngestProgress | undefined> {
	try {
		const { searchAttributes } = await temporal.withDeadline(Date.now() + DEADLINE_MS, () =>
			temporal.workflow.getHandle(workflowId).describe(),
		);
		const undoing: Stage = "discard";
		return searchAttributes.LodeStage?.[0] === undoing ? await askProgress(temporal, workflowId) : undefined;
	} catch {
		return undefined;
	}
}

/**
 * What an ingestion's activities are being tried again for, each reason once, e.g. a store that is away. Its children are not asked. Empty
 * without an answer in time.
 */
export async function askWaiting(temporal: Client, workflowId: string, runId?: string): Promise<Waiting[]> {
	try {
		const { raw } = await temporal.withDeadline(Date.now() + DEADLINE_MS, () =>
			temporal.workflow.getHandle(workflowId, runId).describe(),
		);
		const reasons = new Map<string, Waiting>();
		for (const { activityType, attempt, lastFailure } of raw.pendingActivities ?? []) {
			const message = lastFailure?.message;
			if (!message || reasons.has(message)) continue;
			const code = lastFailure.applicationFailureInfo?.type;
			reasons.set(message, {
				activity: activityType?.name ?? "",
				attempt: attempt ?? 1,
				...(code ? { code } : {}),
				message,
			});
		}
		return [...reasons.values()];
	} catch {
		return [];
	}
}
