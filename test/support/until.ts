import { setTimeout as sleep } from "node:timers/promises";

/** What a look finds when it is as it should be, however long that takes: the test's own time-out ends it. */
export async function until<T>(look: () => Promise<T>, isThere: (found: T) => boolean): Promise<T> {
	for (;;) {
		const found = await look();
		if (isThere(found)) return found;
		await sleep(100);
	}
}
