import { isAway, isPermanent } from "./failure-mapping.js";

/**
 * Steps that need nothing of each other, in one activity. Ends when all have ended, because a discard may follow. Of their failures one that repeating does
 * not mend is thrown first, and a store that is away last: it must not hide the others, and have them tried for ever.
 */
export async function sideBySide<const T extends readonly Promise<unknown>[]>(
	steps: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
	const settled = await Promise.allSettled(steps);
	const failures = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
	if (failures.length > 0) throw failures.find(isPermanent) ?? failures.find((error) => !isAway(error)) ?? failures[0];
	return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as never;
}
