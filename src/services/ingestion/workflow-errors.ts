import {
	ApplicationFailure,
	isGrpcServiceError,
	WorkflowFailedError,
	WorkflowUpdateFailedError,
} from "@temporalio/client";
import { ERROR_CODES, type ErrorCode, LodeError } from "../../domain/errors.js";

/** What came out of a workflow or its server, as one of our errors: the innermost coded failure speaks. */
export function fromWorkflowError(error: unknown): Error {
	if (error instanceof LodeError) return error;
	let current: unknown = error;
	while (current instanceof Error) {
		if (current instanceof ApplicationFailure && current.type && current.type in ERROR_CODES) {
			const detail = current.details?.[0];
			const next =
				typeof detail === "object" && detail !== null && "next" in detail && typeof detail.next === "string"
					? detail.next
					: undefined;
			return new LodeError(current.type as ErrorCode, current.message, { next, cause: error });
		}
		if (current.name === "CancelledFailure")
			return new LodeError("CANCELLED", "the work was cancelled", { cause: error });
		current = current.cause;
	}
	if (isGrpcServiceError(error)) {
		return new LodeError("TEMPORAL_UNAVAILABLE", `Temporal answered: ${error.details || error.message}`, {
			next: "lode doctor",
			cause: error,
		});
	}
	if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) {
		return new LodeError("INGESTION_FAILED", error.cause?.message ?? error.message, {
			next: "lode status",
			cause: error,
		});
	}
	return error instanceof Error ? error : new LodeError("INTERNAL", String(error));
}
