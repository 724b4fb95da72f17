import pRetry from "p-retry";
import type { LodeError } from "../../domain/errors.js";
import { fromWorkflowError } from "./workflow-errors.js";

/** With waits of up to 5 s: a minute and a half without a server. */
const ATTEMPTS = 20;

/** Repeats while Temporal is away: the embedded server is restarted within seconds when it dies. Errors are ours. */
export function persistently<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	return pRetry(
		() =>
			attempt().catch((error: unknown) => {
				throw fromWorkflowError(error);
			}),
		{
			retries: ATTEMPTS,
			minTimeout: 500,
			maxTimeout: 5_000,
			shouldRetry: ({ error }) => !signal?.aborted && (error as LodeError).code === "TEMPORAL_UNAVAILABLE",
		},
	);
}
