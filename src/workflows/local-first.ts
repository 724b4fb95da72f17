import { ApplicationFailure, CancellationScope } from "@temporalio/workflow";

/**
 * What runs locally runs to its end, which is near: whoever cancels, or fails beside it, waits for that. To cancel a local activity that is
 * about to start has left workflows waiting for ever (SDK 1.24).
 */
export async function localFirst<T>(here: () => Promise<T>, activity: () => Promise<T>): Promise<T> {
	const scope = CancellationScope.current();
	if (scope.consideredCancelled) throw await scope.cancelRequested;
	try {
		return await CancellationScope.nonCancellable(here);
	} catch (error) {
		if (isPermanent(error)) throw error;
	}
	return activity();
}

/** Whether an activity said that repeating does not help. */
function isPermanent(error: unknown): boolean {
	for (let current = error; current instanceof Error; current = current.cause) {
		if (current instanceof ApplicationFailure) return current.nonRetryable === true;
	}
	return false;
}
