import { CompleteAsyncError, Context } from "@temporalio/activity";
import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { ERROR_CODES, errorCode, type LodeError } from "../domain/errors.js";
import { heartbeat } from "./heartbeat.js";

/** Attempts after which an error that nobody named is a bug, not a passing fault. */
const ATTEMPTS_UNNAMED = 5;
/** A disk does not free itself: after this many attempts a user has to act. */
const ATTEMPTS_DISK_FULL = 3;
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
	for (const [name, activity] of Object.entries(activities) as [string, AnyActivity][]) {
		wrapped[name] = async (...args: never[]) => {
			const context = Context.current();
			const timer = setInterval(() => heartbeat(), HEARTBEAT_EVERY_MS);
			try {
				return await activity(...args);
			} catch (error) {
				const failure = toFailure(error, context.info.attempt, context.cancellationSignal.aborted, redact);
				throw COMPENSATION.has(name) ? repeated(failure) : failure;
			} finally {
				clearInterval(timer);
			}
		};
	}
	return wrapped as T;
}

/** Whether repeating does not help. */
export function isPermanent(error: unknown): boolean {
	if (error instanceof ApplicationFailure) return error.nonRetryable === true;
	const code = errorCode(error);
	return code !== undefined && ERROR_CODES[code].permanent;
}

function repeated(failure: Error): Error {
	if (!(failure instanceof ApplicationFailure) || failure.type === "SEQ_CLOSED") return failure;
	const { message, type, details } = failure;
	return ApplicationFailure.retryable(message, type, ...(details ?? []));
}

/** Exported for tests. */
export function toFailure(
	error: unknown,
	attempt: number,
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
			nonRetryable: attempt >= ATTEMPTS_UNNAMED,
			details: [{ next: "see the worker's log", stack: redact(error instanceof Error ? (error.stack ?? "") : "") }],
		});
	}
	const { message, next, retryAfterMs } = error as LodeError;
	// The cause is left out: what a driver wrote may hold more than a history should.
	return ApplicationFailure.create({
		message: redact(message),
		type: code,
		nonRetryable: ERROR_CODES[code].permanent || (code === "DISK_FULL" && attempt >= ATTEMPTS_DISK_FULL),
		nextRetryDelay: retryAfterMs === undefined ? undefined : Math.max(1, Math.round(retryAfterMs)),
		details: [{ next: next ?? null }],
	});
}
