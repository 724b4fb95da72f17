import { isCancellation } from "@temporalio/workflow";
import { ERROR_CODES } from "../domain/errors.js";
import { failureOf } from "./failure.js";

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/** Pauses between looks at a ref while nothing can be done: longer each time, short again when something could. Milliseconds. */
export class LookPauses {
	#next = FIRST_PAUSE_MS;

	next(): number {
		const pause = this.#next;
		this.#next = Math.min(pause * 2, LONGEST_PAUSE_MS);
		return pause;
	}

	reset(): void {
		this.#next = FIRST_PAUSE_MS;
	}
}

/** Whether the same may go well later: a store, a repository, a disk comes back. */
export function mayPass(error: unknown): boolean {
	const { code } = failureOf(error);
	return Object.hasOwn(ERROR_CODES, code) && !ERROR_CODES[code as keyof typeof ERROR_CODES].permanent;
}

/**
 * Whether an ingestion failed before the catalog knew of it (a full disk refuses `begin`): nothing was parked, so nobody would see that the
 * commit is missing. Not where somebody cancelled or terminated its workflow.
 */
export function neverBegan(error: unknown): boolean {
	if (isCancellation(error)) return false;
	for (let current = error; current instanceof Error; current = current.cause) {
		if (current.name !== "ApplicationFailure") continue;
		const [first] = (current as Error & { details?: unknown[] | null }).details ?? [];
		return !(typeof first === "object" && first !== null && "ingestion" in first);
	}
	return false;
}
