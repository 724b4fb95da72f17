import { CancellationScope } from "@temporalio/workflow";

/**
 * Like Promise.all, but returns or throws only when all have ended, because a discard may follow: nothing may write after it. The first
 * failure cancels the others, so that none is waited for in vain; it is the one that is thrown.
 */
export function endTogether<T extends readonly Promise<unknown>[] | []>(
	start: () => T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
	return CancellationScope.cancellable(async () => {
		const scope = CancellationScope.current();
		const settled = await Promise.allSettled(
			start().map((promise) =>
				promise.catch((error: unknown) => {
					scope.cancel();
					throw error;
				}),
			),
		);
		const failures = settled.filter((result) => result.status === "rejected").map((result) => result.reason as unknown);
		if (failures.length > 0) throw failures.find((error) => !isCancellationLike(error)) ?? failures[0];
		return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as never;
	});
}

/** Cancelling the others makes them fail too; the failure to report is the one that came first. */
function isCancellationLike(error: unknown): boolean {
	let current: unknown = error;
	while (current instanceof Error) {
		if (current.name === "CancelledFailure") return true;
		current = current.cause;
	}
	return false;
}
