import {
	ApplicationFailure,
	isGrpcServiceError,
	WorkflowFailedError,
	WorkflowUpdateFailedError,
	WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import { ERROR_CODES, type ErrorCode, LodeError } from "../../domain/errors.js";

/** What came out of a workflow or its server, as one of our errors: the innermost coded failure speaks. */
export function fromWorkflowError(error: unknown): Error {
	if (error instanceof LodeError) return error;
	for (const one of chain(error)) {
		if (one instanceof ApplicationFailure && one.type && one.type in ERROR_CODES) {
			const detail = one.details?.[0];
			const next =
				typeof detail === "object" && detail !== null && "next" in detail && typeof detail.next === "string"
					? detail.next
					: undefined;
			return new LodeError(one.type as ErrorCode, one.message, { next, cause: error });
		}
		if (one.name === "CancelledFailure") {
			return new LodeError("CANCELLED", "the work was cancelled", { next: "lode status", cause: error });
		}
		if (isGrpcServiceError(one) || one instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
			const said = isGrpcServiceError(one) ? one.details || one.message : one.message;
			return new LodeError("TEMPORAL_UNAVAILABLE", `Temporal did not answer: ${said}`, {
				next: "lode doctor",
				cause: error,
			});
		}
	}
	if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) {
		return new LodeError("INGESTION_FAILED", error.cause?.message ?? error.message, {
			next: "lode status",
			cause: error,
		});
	}
	return error instanceof Error ? error : new LodeError("INTERNAL", String(error));
}

function* chain(error: unknown): Iterable<Error> {
	for (let current = error; current instanceof Error; current = current.cause) yield current;
}
