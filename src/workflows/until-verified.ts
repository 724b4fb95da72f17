import { log, patched } from "@temporalio/workflow";
import { failureOf } from "./failure.js";

/** How often at most what was staged is staged again, because a store does not hold it. */
const STAGED_AGAIN = 3;

/**
 * A server that died may have kept less than it had acknowledged. What is there is written again, and once more where it died meanwhile:
 * another problem than before says so. The same problem twice does not come from that.
 */
export async function untilVerified<T>(seq: number, stage: (again: boolean) => Promise<T>): Promise<T> {
	let problem: string | undefined;
	for (let again = 0; ; again++) {
		try {
			return await stage(again > 0);
		} catch (error) {
			const { code, message } = failureOf(error);
			if (code !== "VERIFICATION_FAILED" || message === problem || again === STAGED_AGAIN) throw error;
			// Asked only here: histories without such a failure have no marker, and need none.
			if (!patched(again === 0 ? "stage-again" : "stage-again-and-again")) throw error;
			log.warn("staging again what a store does not hold", { seq, problem: message });
			problem = message;
		}
	}
}
