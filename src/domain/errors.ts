/**
 * Every failure that Lode names. The code is stable: users script against it, workflows match on it.
 * `exit` is the exit code of the CLI; `permanent` says that repeating the same call cannot help.
 */
export const ERROR_CODES = {
	USAGE: { exit: 2, permanent: true },
	CONFIG_INVALID: { exit: 2, permanent: true },
	CREDENTIALS_IN_URL: { exit: 2, permanent: true },
	SOURCE_NOT_FOUND: { exit: 3, permanent: true },
	REF_NOT_FOUND: { exit: 3, permanent: true },
	COMMIT_NOT_FOUND: { exit: 3, permanent: true },
	INGESTION_NOT_FOUND: { exit: 3, permanent: true },
	FILE_NOT_FOUND: { exit: 3, permanent: true },
	ENTITY_NOT_FOUND: { exit: 3, permanent: true },
	GROUP_NOT_FOUND: { exit: 3, permanent: true },
	RECEIPT_NOT_FOUND: { exit: 3, permanent: true },
	ARTIFACT_NOT_FOUND: { exit: 3, permanent: true },
	COMMAND_NOT_FOUND: { exit: 3, permanent: true },
	KEY_NOT_FOUND: { exit: 3, permanent: true },
	SNAPSHOT_NOT_FOUND: { exit: 3, permanent: true },
	SNAPSHOT_EXPIRED: { exit: 3, permanent: true },
	NOTHING_PUBLISHED: { exit: 3, permanent: true },
	NOTHING_ARCHIVED: { exit: 3, permanent: true },
	IDEMPOTENCY_KEY_REUSED: { exit: 2, permanent: true },
	REPOSITORY_UNREADABLE: { exit: 4, permanent: true },
	PERMISSION_DENIED: { exit: 4, permanent: true },
	UNAUTHENTICATED: { exit: 4, permanent: true },
	FORBIDDEN: { exit: 4, permanent: true },
	RATE_LIMITED: { exit: 4, permanent: false },
	DISK_FULL: { exit: 4, permanent: false },
	SOURCE_UNAVAILABLE: { exit: 4, permanent: false },
	STORE_UNAVAILABLE: { exit: 4, permanent: false },
	STORE_CORRUPT: { exit: 5, permanent: true },
	CATALOG_BEHIND: { exit: 5, permanent: true },
	VERIFICATION_FAILED: { exit: 5, permanent: true },
	EMBEDDING_FAILED: { exit: 4, permanent: true },
	EMBEDDING_UNAVAILABLE: { exit: 4, permanent: false },
	EMBEDDING_RATE_LIMITED: { exit: 4, permanent: false },
	GROUP_INVALID: { exit: 2, permanent: true },
	GROUP_EXISTS: { exit: 2, permanent: true },
	MODEL_MISMATCH: { exit: 2, permanent: true },
	SEQ_CLOSED: { exit: 1, permanent: true },
	SOURCE_BUSY: { exit: 4, permanent: false },
	BASE_MOVED: { exit: 1, permanent: true },
	VERSION_CONFLICT: { exit: 1, permanent: true },
	INGESTION_FAILED: { exit: 1, permanent: true },
	CANCELLED: { exit: 130, permanent: true },
	TEMPORAL_UNAVAILABLE: { exit: 4, permanent: false },
	TEMPORAL_NOT_INSTALLED: { exit: 4, permanent: true },
	TIMEOUT: { exit: 4, permanent: false },
	INTERNAL: { exit: 1, permanent: true },
} as const satisfies Record<string, { exit: number; permanent: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface LodeErrorOptions {
	/** What the reader can do about it, one sentence. Never holds a secret. */
	next?: string;
	cause?: unknown;
	/** For rate limits: how long the other side asked us to wait. */
	retryAfterMs?: number;
	/** What is wrong with single fields of an input, by their dotted names. */
	fields?: Readonly<Record<string, string>>;
}

/** The one error class of Lode. Match on `code`, not on `instanceof`: it may have crossed a process. */
export class LodeError extends Error {
	readonly code: ErrorCode;
	readonly next: string | undefined;
	readonly retryAfterMs: number | undefined;
	readonly fields: Readonly<Record<string, string>> | undefined;

	constructor(code: ErrorCode, message: string, options: LodeErrorOptions = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.name = "LodeError";
		this.code = code;
		this.next = options.next;
		this.retryAfterMs = options.retryAfterMs;
		this.fields = options.fields;
	}

	get permanent(): boolean {
		return ERROR_CODES[this.code].permanent;
	}
}

/** The code of anything thrown, or undefined where it is not one of ours. */
export function errorCode(error: unknown): ErrorCode | undefined {
	if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
	const { code } = error;
	return typeof code === "string" && code in ERROR_CODES ? (code as ErrorCode) : undefined;
}
