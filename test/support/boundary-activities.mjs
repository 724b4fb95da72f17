// What test/crash/driver has the worker import in place of its activities: the real ones, each with a place before and after it where a fault
// may wait. Faults lie as files in $LODE_CRASH_BOUNDARIES, each strikes once: `<side>-<activity>-<kill|fail>`.
import { renameSync } from "node:fs";
import { join } from "node:path";
import { ApplicationFailure } from "@temporalio/activity";
import { createActivities as createReal } from "../../dist/src/activities/activities.js";

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

export function createActivities(ports) {
	const wrapped = Object.entries(createReal(ports)).map(([name, activity]) => [
		name,
		async (...args) => {
			pass("before", name);
			const result = await activity(...args);
			pass("after", name);
			return result;
		},
	]);
	return Object.fromEntries(wrapped);
}
