import { CompleteAsyncError, Context, type Info } from "@temporalio/activity";
import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { ERROR_CODES, type ErrorCode, errorCode, type LodeError } from "../domain/errors.js";
import { heartbeat } from "./heartbeat.js";

/** So often in one activity an error that nobody named, here or where it was mapped (`INTERNAL`), is a bug, not a passing fault. */
const TIMES_UNNAMED = 5;
/** A disk does not free itself: after this many times a user has to act. */
const TIMES_DISK_FULL = 3;
/** Activities whose failures are counted: more than are ever under way, some 100 bytes each. */
const COUNTED = 20_000;
const HEARTBEAT_EVERY_MS = 1_500;
/**
 * The compensation: it is repeated for ever, whatever a store says, because until it is done the seq stays excluded and its source
 * waits. Only a publish that won ends it.
 */
const COMPENSATION: ReadonlySet<string> = new Set([
	"abort",
	"discardGraph",
	"discardVectors",
	"discardArtifacts",
	"release",
]);

type AnyActivity = (...args: never[]) => Promise<unknown>;

/**
 * Wraps activities: heartbeats while they run, so that a dead worker is noticed within seconds and a cancellation
 * arrives; and maps what they throw, once, to failures that Temporal's retry policy understands.
 */
export function withFailureMapping<T extends object>(activities: T, redact: (text: string) => string): T {
	const wrapped: Record<string, AnyActivity> = {};
	const times = new FailureTimes();
	for (const [name, activity] of Object.entries(activities) as [string, AnyActivity][]) {
		wrapped[name] = async (...args: never[]) => {
			const context = Context.current();
			const timer = setInterval(() => heartbeat(), HEARTBEAT_EVERY_MS);
			try {
				const result = await activity(...args);
				times.succeeded(context.info);
				return result;
			} catch (error) {
				const cancelled = context.cancellationSignal.aborted;
				// What a cancelled attempt fails with says nothing of the next one.
				const failure = toFailure(error, cancelled ? 1 : times.count(context.info, error), cancelled, redact);
				throw COMPENSATION.has(name) ? repeated(failure) : failure;
			} finally {
				clearInterval(timer);
			}
		};
	}
	return wrapped as T;
}

/**
 * How often an activity failed in this process with an error that is bearable a few times only. Its attempts tell less: hundreds of them may have waited for a
 * store that was away before something else fails once.
 */
class FailureTimes {
	readonly #times = new Map<string, number>();

	count(info: Info, error: unknown): number {
		const code = errorCode(error) ?? "INTERNAL";
		if ((code !== "INTERNAL" && code !== "DISK_FULL") || error instanceof CancelledFailure) return 1;
		const key = `${activityOf(info)}/${code}`;
		const times = (this.#times.get(key) ?? 0) + 1;
		this.#times.delete(key);
		this.#times.set(key, times);
		const oldest = this.#times.keys().next().value;
		if (this.#times.size > COUNTED && oldest !== undefined) this.#times.delete(oldest);
		return times;
	}

	succeeded(info: Info): void {
		if (this.#times.size === 0) return;
		for (const code of ["INTERNAL", "DISK_FULL"]) this.#times.delete(`${activityOf(info)}/${code}`);
	}
}

/** A local activity has another id after each longer pause. */
const activityOf = ({ workflowExecution, activityId, activityType, isLocal }: Info): string =>
	`${workflowExecution?.runId}/${isLocal ? activityType : activityId}`;

/** Whether it says that a store does not answer. */
export const isAway = (error: unknown): boolean =>
	(error instanceof ApplicationFailure ? error.type : errorCode(error)) === "STORE_UNAVAILABLE";

/** Whether repeating does not help. */
export function isPermanent(error: unknown): boolean {
	if (error instanceof ApplicationFailure) return error.nonRetryable === true;
	const code = errorCode(error);
	return code !== undefined && ERROR_CODES[code].permanent;
}

/** What a server refuses may be what it says while it comes up, in words that nobody knew: `INTERNAL` is worth as many attempts as an error without a code. */
function isLast(code: ErrorCode, times: number): boolean {
	if (code === "INTERNAL") return times >= TIMES_UNNAMED;
	return ERROR_CODES[code].permanent || (code === "DISK_FULL" && times >= TIMES_DISK_FULL);
}

function repeated(failure: Error): Error {
	if (!(failure instanceof ApplicationFailure) || failure.type === "SEQ_CLOSED") return failure;
	const { message, type, details } = failure;
	return ApplicationFailure.retryable(message, type, ...(details ?? []));
}

/** Exported for tests. `times`: how often the activity failed like this, this time too. */
export function toFailure(
	error: unknown,
	times: number,
	cancelled: boolean,
	redact: (text: string) => string = (text) => text,
): Error {
	if (error instanceof CancelledFailure || error instanceof CompleteAsyncError || error instanceof ApplicationFailure) {
		return error;
	}
	if (cancelled && error instanceof Error && (error.name === "AbortError" || errorCode(error) === "CANCELLED")) {
		return new CancelledFailure("cancelled");
	}
	const code = errorCode(error);
	if (code === undefined) {
		return ApplicationFailure.create({
			message: redact(error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
			type: "INTERNAL",
			nonRetryable: times >= TIMES_UNNAMED,
			details: [{ next: "see the worker's log", stack: redact(error instanceof Error ? (error.stack ?? "") : "") }],
		});
	}
	const { message, next, retryAfterMs } = error as LodeError;
	// The cause is left out: what a driver wrote may hold more than a history should.
	return ApplicationFailure.create({
		message: redact(message),
		type: code,
		nonRetryable: isLast(code, times),
		nextRetryDelay: retryAfterMs === undefined ? undefined : Math.max(1, Math.round(retryAfterMs)),
		details: [{ next: next ?? null }],
	});
}
