/** Waits for all of them, even where one fails, so that nothing is done any more when this throws: the first failure in their order. */
export async function allEnded(work: readonly Promise<unknown>[]): Promise<void> {
	for (const each of await Promise.allSettled(work)) if (each.status === "rejected") throw each.reason;
}
