import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from "@temporalio/client";
import type { archiveEvents } from "../../workflows/archive-events.js";
import { ARCHIVE_WORKFLOW_ID, RECONCILE_WORKFLOW_ID } from "../../workflows/contracts/ids.js";
import type { reconcileSources } from "../../workflows/reconcile-sources.js";

/** Seconds; 0: never. */
export interface Schedules {
	/** Every source's branch is compared with its repository: a webhook that never came costs time and no commit. */
	readonly reconcileEvery: number;
	/** What happened is copied into the archive. */
	readonly archiveEvery: number;
}

/** What is done again and again, as Temporal schedules, so that it goes on whichever worker runs. */
export async function ensureSchedules(temporal: Client, taskQueue: string, schedules: Schedules): Promise<void> {
	await ensure(temporal, taskQueue, {
		id: RECONCILE_WORKFLOW_ID,
		workflow: "reconcileSources" satisfies (typeof reconcileSources)["name"],
		everySeconds: schedules.reconcileEvery,
	});
	await ensure(temporal, taskQueue, {
		id: ARCHIVE_WORKFLOW_ID,
		workflow: "archiveEvents" satisfies (typeof archiveEvents)["name"],
		everySeconds: schedules.archiveEvery,
	});
}

async function ensure(
	temporal: Client,
	taskQueue: string,
	{ id, workflow, everySeconds }: { id: string; workflow: string; everySeconds: number },
): Promise<void> {
	const handle = temporal.schedule.getHandle(id);
	if (everySeconds === 0) {
		await handle.delete().catch((error: unknown) => {
			if (!(error instanceof ScheduleNotFoundError)) throw error;
		});
		return;
	}
	const spec = { intervals: [{ every: everySeconds * 1_000 }] };
	const action = { type: "startWorkflow" as const, workflowType: workflow, workflowId: id, taskQueue, args: [] as [] };
	// What was missed while nothing ran is made good by one run.
	const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 minute" as const };
	try {
		await temporal.schedule.create({ scheduleId: id, spec, action, policies });
	} catch (error) {
		if (!(error instanceof ScheduleAlreadyRunning)) throw error;
		await handle.update((previous) => ({ ...previous, spec, action, policies }));
	}
	await handle.trigger();
}
