import { proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type { PlanningActivities } from "../activities/activity-types.js";
import { localFirst } from "./local-first.js";
import { EXTERNAL_READ, LOCAL_OUTSIDE } from "./retry-profiles.js";

const planning = proxyActivities<PlanningActivities>(EXTERNAL_READ);
const local = proxyLocalActivities<PlanningActivities>(LOCAL_OUTSIDE);

/** Each an activity of its own. */
export const PLANNING: PlanningActivities = {
	prepareCommit: (seq) => planning.prepareCommit(seq),
	planChanges: (seq) => planning.planChanges(seq),
};

/**
 * For a commit that most likely changes little, which only the plan tells: an activity costs as much as a fetch from this machine does. What does not
 * succeed at once and soon, because it changes much or comes from far away, goes on as an activity; `waits` is told then.
 */
export function planningLocally(waits: () => void): PlanningActivities {
	const activity = <T>(run: () => Promise<T>) => {
		waits();
		return run();
	};
	return {
		prepareCommit: (seq) =>
			localFirst(
				() => local.prepareCommit(seq),
				() => activity(() => planning.prepareCommit(seq)),
			),
		planChanges: (seq) =>
			localFirst(
				() => local.planChanges(seq),
				() => activity(() => planning.planChanges(seq)),
			),
	};
}
