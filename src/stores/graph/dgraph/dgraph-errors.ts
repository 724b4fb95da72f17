import { type ErrorCode, errorCode, LodeError } from "../../../domain/errors.js";

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const GRPC = {
	CANCELLED: 1,
	DEADLINE_EXCEEDED: 4,
	PERMISSION_DENIED: 7,
	RESOURCE_EXHAUSTED: 8,
	ABORTED: 10,
	UNAVAILABLE: 14,
	UNAUTHENTICATED: 16,
} as const;

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function grpcCode(error: unknown): number | undefined {
	if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
	return typeof error.code === "number" ? error.code : undefined;
}

/** Another transaction wrote what this one did, and was faster. */
export const isAborted = (error: unknown): boolean =>
	grpcCode(error) === GRPC.ABORTED || /transaction has been aborted/i.test(text(error));

/** A schema change is refused while transactions are under way. */
export const isPending = (error: unknown): boolean =>
	/pending transactions|schema is already being modified|another operation is already running/i.test(text(error));

/** Maps what the client threw. Messages name the operation; Dgraph's own may quote a query, so they are kept as cause only. */
export function dgraphError(error: unknown, address: string, operation: string): LodeError {
	if (errorCode(error) !== undefined) return error as LodeError;
	const make = (code: ErrorCode, why: string, next: string) =>
		new LodeError(code, `Cannot ${operation} in Dgraph at ${address}: ${why}`, { next, cause: error });
	const said = text(error);
	if (isAborted(error)) return make("STORE_UNAVAILABLE", "other writes were always faster", "Repeat it.");
	switch (grpcCode(error)) {
		case GRPC.UNAUTHENTICATED:
			return make("PERMISSION_DENIED", "it does not accept the token", "Correct LODE_DGRAPH_TOKEN.");
		case GRPC.PERMISSION_DENIED:
			return make("PERMISSION_DENIED", "it is not permitted", "Correct LODE_DGRAPH_TOKEN, or widen what it permits.");
		case GRPC.RESOURCE_EXHAUSTED:
			return make("STORE_UNAVAILABLE", "it is overloaded", "Repeat it, or give the alphas more memory.");
		case GRPC.UNAVAILABLE:
		case GRPC.DEADLINE_EXCEEDED:
		case GRPC.CANCELLED:
			return make(
				"STORE_UNAVAILABLE",
				"it does not answer",
				"Start that server, or correct LODE_DGRAPH_ADDRESS or LODE_DGRAPH_TLS.",
			);
	}
	if (
		/auth|token|jwt|namespace/i.test(said) &&
		/invalid|denied|unauthori[sz]ed|required|needed|not match/i.test(said)
	) {
		// Dgraph repeats a token that it does not accept: that may not go anywhere.
		const why = `Cannot ${operation} in Dgraph at ${address}: it does not accept the token`;
		return new LodeError("PERMISSION_DENIED", why, { next: "Correct LODE_DGRAPH_TOKEN." });
	}
	if (/no space left/i.test(said)) return make("DISK_FULL", "its disk is full", "Free some space on that server.");
	if (
		/not (a )?leader|no (healthy )?connection|unhealthy|not ready|not yet|is not served|please retry|connection refused|draining/i.test(
			said,
		)
	) {
		return make("STORE_UNAVAILABLE", "it is not ready", "Wait for it, or look at its log.");
	}
	return make("INTERNAL", "it refused the request", "Look at the log of that server.");
}
