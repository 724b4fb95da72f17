import { ERROR_CODES, type ErrorCode, errorCode, type LodeError } from "../../domain/errors.js";

/** Problem details of RFC 9457, with Lode's code and what the reader can do. */
export interface Problem {
	readonly type: string;
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	readonly code: string;
	readonly next?: string;
	/** What is wrong with single fields of the request, by their dotted names. */
	readonly fields?: Readonly<Record<string, string>>;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
	USAGE: 400,
	UNAUTHENTICATED: 401,
	FORBIDDEN: 403,
	RATE_LIMITED: 429,
	CREDENTIALS_IN_URL: 400,
	SNAPSHOT_EXPIRED: 410,
	EMBEDDING_RATE_LIMITED: 503,
	// What a client waited for, as long as it said.
	TIMEOUT: 408,
	SOURCE_BUSY: 409,
	GROUP_EXISTS: 409,
	INGESTION_FAILED: 409,
	CANCELLED: 409,
	// Where the key names another request, a field is wrong, or what was named cannot be read: the client's to mend.
	IDEMPOTENCY_KEY_REUSED: 422,
	GROUP_INVALID: 422,
	REPOSITORY_UNREADABLE: 422,
	PERMISSION_DENIED: 422,
	SOURCE_UNAVAILABLE: 422,
};

/** By what the code means to a client: what it asked for is missing, wrong, or the server cannot do it now. */
function statusOf(code: ErrorCode): number {
	const known = STATUS[code];
	if (known !== undefined) return known;
	if (code.endsWith("_NOT_FOUND") || code === "NOTHING_PUBLISHED") return 404;
	return ERROR_CODES[code].permanent ? 500 : 503;
}

/** Anything thrown, as an answer. What is not an error of Lode's own says nothing of itself: it may hold anything. */
export function problemOf(error: unknown): Problem & { readonly retryAfterSeconds?: number } {
	const code = errorCode(error);
	if (code === undefined || code === "INTERNAL") {
		return {
			type: "urn:lode:error:INTERNAL",
			title: "Internal error",
			status: 500,
			detail: "Something in Lode failed. Its log has the details.",
			code: "INTERNAL",
		};
	}
	const { message, next, fields, retryAfterMs } = error as LodeError;
	const status = statusOf(code);
	return {
		type: `urn:lode:error:${code}`,
		title: titleOf(code),
		status,
		detail: message,
		code,
		...(next !== undefined && { next }),
		...(fields !== undefined && { fields }),
		...((status === 503 || status === 429) && {
			retryAfterSeconds: Math.max(1, Math.ceil((retryAfterMs ?? 5_000) / 1_000)),
		}),
	};
}

const titleOf = (code: ErrorCode): string => code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");
