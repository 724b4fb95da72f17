import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from "@temporalio/client";
import { RECONCILE_WORKFLOW_ID } from "../../workflows/contracts/ids.js";
import type { reconcileSources } from "../../workflows/reconcile-sources.js";

/**
 * Has every source's branch compared with its repository now and then: a webhook that never came costs time and no commit. A Temporal
 * schedule, so that it goes on whichever worker runs. `everySeconds` 0: none.
 */
export async function ensureReconciliation(temporal: Client, taskQueue: string, everySeconds: number): Promise<void> {
	const handle = temporal.schedule.getHandle(RECONCILE_WORKFLOW_ID);
	if (everySeconds === 0) {
		await handle.delete().catch((error: unknown) => {
			if (!(error instanceof ScheduleNotFoundError)) throw error;
		});
		return;
	}
	const spec = { intervals: [{ every: everySeconds * 1_000 }] };
	const action = {
		type: "startWorkflow" as const,
		workflowType: "reconcileSources" satisfies (typeof reconcileSources)["name"],
		workflowId: RECONCILE_WORKFLOW_ID,
		taskQueue,
		args: [] as [],
	};
	// What was missed while nothing ran is made good by one look.
	const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 minute" as const };
	try {
		await temporal.schedule.create({ scheduleId: RECONCILE_WORKFLOW_ID, spec, action, policies });
	} catch (error) {
		if (!(error instanceof ScheduleAlreadyRunning)) throw error;
		await handle.update((previous) => ({ ...previous, spec, action, policies }));
	}
	await handle.trigger();
}
