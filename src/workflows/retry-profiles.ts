import { ActivityCancellationType, type ActivityOptions, type LocalActivityOptions } from "@temporalio/workflow";

/**
 * Options by side effect. Activities decide what is permanent (a non-retryable failure with a stable code); these
 * say how often and how long to try the rest. A worker that dies is noticed by the missing heartbeat.
 */
const HEARTBEAT = "8 seconds";

const base = {
	heartbeatTimeout: HEARTBEAT,
	cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** Bytes in, value out: repeating helps only when the process died. */
export const PURE: ActivityOptions = {
	...base,
	startToCloseTimeout: "10 minutes",
	retry: { initialInterval: "200ms", backoffCoefficient: 2, maximumInterval: "5s", maximumAttempts: 6 },
};

/** Idempotent writes to a store: tried for ever, because a store that is away comes back. */
export const STORE_WRITE: ActivityOptions = {
	...base,
	startToCloseTimeout: "10 minutes",
	retry: { initialInterval: "200ms", backoffCoefficient: 2, maximumInterval: "10s" },
};

/** The same where one call may have a whole repository to write: what it wrote is not written again. */
export const LONG_STORE_WRITE: ActivityOptions = { ...STORE_WRITE, startToCloseTimeout: "2 hours" };

/** Waits for other work: how long that takes nobody knows. */
export const LONG_WAIT: ActivityOptions = { ...STORE_WRITE, startToCloseTimeout: "7 days" };

/** A provider that limits rates: slow growth; a Retry-After of the provider overrides the interval. */
export const RATE_LIMITED: ActivityOptions = {
	...base,
	startToCloseTimeout: "30 minutes",
	retry: { initialInterval: "1s", backoffCoefficient: 2, maximumInterval: "1 minute" },
};

/** Reads of a repository: a network that is away for a minute must not fail a commit; for an hour it may. */
export const EXTERNAL_READ: ActivityOptions = {
	...base,
	startToCloseTimeout: "2 hours",
	retry: { initialInterval: "500ms", backoffCoefficient: 2, maximumInterval: "30s", maximumAttempts: 10 },
};

/**
 * For steps that become activities where they do not succeed at once: see steps.ts. One attempt: a pause before the next, which a provider
 * may ask to be an hour, would be seen by nobody. What is slow is ended soon, because a cancellation waits for it, and because it holds one of
 * the few places for workflow tasks of the worker. From when it is scheduled: the SDK (1.24) leaves the timer of a start-to-close time-out behind where an
 * attempt fails, and panics when it fires after the worker was shut down.
 */
export const LOCAL: LocalActivityOptions = {
	cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
	scheduleToCloseTimeout: "10 seconds",
	retry: { maximumAttempts: 1 },
};

/** Somebody else's service or repository, which may be slow for as long as it likes. */
export const LOCAL_OUTSIDE: LocalActivityOptions = { ...LOCAL, scheduleToCloseTimeout: "5 seconds" };

/**
 * One catalog transaction of milliseconds. Local: it costs no task of its own. A cancellation waits for its end: whoever is told that it
 * was cancelled must not find later that it began or published.
 */
export const SHORT: LocalActivityOptions = {
	cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
	startToCloseTimeout: "20 seconds",
	localRetryThreshold: "5 seconds",
	retry: { initialInterval: "100ms", backoffCoefficient: 2, maximumInterval: "10s" },
};
