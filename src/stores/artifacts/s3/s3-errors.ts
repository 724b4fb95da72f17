import { type ErrorCode, errorCode, LodeError } from "../../../domain/errors.js";

/** The name that S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), MinIO or the system gave an error. */
export function s3Code(error: unknown): string | undefined {
	if (typeof error !== "object" || error === null) return undefined;
	if ("code" in error && typeof error.code === "string") return error.code;
	const inner = "errors" in error && Array.isArray(error.errors) ? (error.errors[0] as unknown) : undefined;
	return inner === undefined ? undefined : s3Code(inner);
}

export const isAbsent = (error: unknown): boolean => ["NoSuchKey", "NotFound"].includes(s3Code(error) ?? "");
/** A condition of a write did not hold: somebody else wrote there. */
export const isRefused = (error: unknown): boolean =>
	["PreconditionFailed", "ConditionalRequestConflict"].includes(s3Code(error) ?? "");

/** Worth another try by itself. */
export function isPassing(error: unknown): boolean {
	const code = s3Code(error) ?? "";
	return /^(SlowDown|RequestTimeout|InternalError|ServiceUnavailable|Busy|XMinioServerNotInitialized|ECONNRESET|EPIPE|ETIMEDOUT)/.test(
		code,
	);
}

/** Maps what the client threw. `thing` is an address or key, never content. */
export function s3Error(error: unknown, endpoint: string, operation: string, thing: string): LodeError {
	if (errorCode(error) !== undefined) return error as LodeError;
	const code = s3Code(error);
	const said = error instanceof Error ? error.message : String(error);
	const make = (ours: ErrorCode, why: string, next: string) =>
		new LodeError(ours, `Cannot ${operation} ${thing} in the archive at ${endpoint}: ${why}`, { next, cause: error });
	switch (code) {
		case "InvalidAccessKeyId":
			return make("PERMISSION_DENIED", "the access key is not known there", "Correct LODE_S3_ACCESS_KEY_ID.");
		case "SignatureDoesNotMatch":
			return make(
				"PERMISSION_DENIED",
				"the secret is not that of the access key",
				"Correct LODE_S3_SECRET_ACCESS_KEY.",
			);
		case "AccessDenied":
		case "AllAccessDisabled":
			return make(
				"PERMISSION_DENIED",
				`the owner of the access key may not ${operation}`,
				"Give the owner of LODE_S3_ACCESS_KEY_ID what docs/servers.md lists, or use another key.",
			);
		case "NoSuchBucket":
			return make("CONFIG_INVALID", "the bucket is missing", "Run `lode migrate`, or correct LODE_S3_BUCKET_PREFIX.");
		case "AuthorizationHeaderMalformed":
		case "PermanentRedirect":
			return make("CONFIG_INVALID", `it is in another region (${said})`, "Correct LODE_S3_REGION.");
		case "XMinioStorageFull":
		case "QuotaExceeded":
		case "InsufficientStorage":
			return make("DISK_FULL", "its disk is full", "Free some space on that server.");
		case "RequestTimeTooSkewed":
			// A clock that jumped is set right again by whoever keeps the time: no commit may be parked for it.
			return make("STORE_UNAVAILABLE", "the clocks differ by more than it allows", "Set the clock of this machine.");
		default:
			return make(
				"STORE_UNAVAILABLE",
				`it does not answer (${code ?? said})`,
				"Start that server, or correct LODE_S3_ENDPOINT.",
			);
	}
}
