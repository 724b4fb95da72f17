import { patched, sleep } from "@temporalio/workflow";
import { failureOf } from "./failure.js";

const FIRST_WAIT_MS = 5_000;
/** Each round costs the history about eight events: an outage of days stays far from Temporal's limit. */
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * For activities whose attempts are bounded, because what they read or compute may be at fault: a store that is away is not, and comes back.
 * They are started again after a pause that grows with the outage.
 */
export async function outlastStores<T>(work: () => Promise<T>): Promise<T> {
	for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
		try {
			return await work();
		} catch (error) {
			// Asked only here: histories without such a failure have no marker, and need none.
			if (failureOf(error).code !== "STORE_UNAVAILABLE" || !patched("outlast-stores")) throw error;
		}
		await sleep(wait, { summary: "a store is away" });
	}
}
