// What test/crash/driver has the worker import in place of its activities: the real ones, each with a place before and after it where a fault
// may wait. Faults lie as files in $LODE_CRASH_BOUNDARIES, each strikes once: `<side>-<activity>-<kill|fail>`.
import { renameSync } from "node:fs";
import { join } from "node:path";
import { ApplicationFailure } from "@temporalio/activity";
import { createActivities as createReal } from "../../dist/src/activities/activities.js";
import { linkedTogether, stagedTogether } from "../../dist/src/activities/staging/staged-together.js";

const FOLDER = process.env.LODE_CRASH_BOUNDARIES;

function struck(name) {
	try {
		// In one step: whoever renames it is the one that it strikes.
		renameSync(join(FOLDER, name), join(FOLDER, "struck", name));
		return true;
	} catch {
		return false;
	}
}

function pass(side, activity) {
	if (struck(`${side}-${activity}-kill`)) process.kill(process.pid, "SIGKILL");
	if (struck(`${side}-${activity}-fail`)) throw ApplicationFailure.nonRetryable("a fault of the test", "STORE_CORRUPT");
}

function bounded(name, activity) {
	return async (...args) => {
		pass("before", name);
		const result = await activity(...args);
		pass("after", name);
		return result;
	};
}

export function createActivities(ports) {
	const steps = Object.fromEntries(
		Object.entries(createReal(ports)).map(([name, activity]) => [name, bounded(name, activity)]),
	);
	// Made anew of the steps that have places, so that a fault may also wait between what these do side by side.
	const { stageBatches } = stagedTogether(steps);
	const { linkAndList } = linkedTogether(steps);
	return {
		...steps,
		stageBatches: bounded("stageBatches", stageBatches),
		linkAndList: bounded("linkAndList", linkAndList),
	};
}
