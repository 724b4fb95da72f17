import { LodeError } from "../../domain/errors.js";

const KEYS = "LODE_LAKEFS_ACCESS_KEY_ID and LODE_LAKEFS_SECRET_ACCESS_KEY";

/** An answer of lakeFS that is no success. */
export class LakefsRefusal extends Error {
	constructor(
		readonly status: number,
		/** What the server says, cut. */
		readonly said: string,
		readonly retryAfterMs?: number,
	) {
		super(`lakeFS answered ${status}${said === "" ? "" : `: ${said}`}`);
		this.name = "LakefsRefusal";
	}
}

/** Answers that another attempt can change. */
export function isPassing(error: unknown): boolean {
	if (!(error instanceof LakefsRefusal)) return !(error instanceof LodeError);
	return error.status === 408 || error.status === 425 || error.status === 429 || error.status >= 500;
}

/** `doing` is for people: "Reading lakefs://lake/main". Never holds a key. */
export function lakefsError(error: unknown, endpoint: string, doing: string): LodeError {
	if (error instanceof LodeError) return error;
	if (!(error instanceof LakefsRefusal)) {
		return new LodeError("SOURCE_UNAVAILABLE", `${doing} failed: there is no answer from lakeFS at ${endpoint}.`, {
			next: "Check that the server runs and that LODE_LAKEFS_ENDPOINT is its address.",
			cause: error,
		});
	}
	const { status, said, retryAfterMs } = error;
	const answer = `${doing} failed: ${error.message}.`;
	if (status === 401) {
		return new LodeError("PERMISSION_DENIED", `${doing} failed: lakeFS at ${endpoint} does not accept the key.`, {
			next: `Correct ${KEYS}.`,
			cause: error,
		});
	}
	if (status === 403) {
		return new LodeError("PERMISSION_DENIED", answer, {
			next: `Give the user of LODE_LAKEFS_ACCESS_KEY_ID leave to read this repository (fs:ReadRepository, fs:ListObjects, fs:ReadObject, fs:ReadBranch, fs:ReadTag, fs:ReadCommit).`,
			cause: error,
		});
	}
	if (status === 410) {
		return new LodeError("REPOSITORY_UNREADABLE", answer, {
			next: "lakeFS's garbage collection has deleted the object: ingest a newer commit, or keep objects for longer in its rules.",
			cause: error,
		});
	}
	if (isPassing(error)) {
		return new LodeError("SOURCE_UNAVAILABLE", answer, {
			next: `Look into the log of lakeFS at ${endpoint}.`,
			cause: error,
			retryAfterMs,
		});
	}
	const notLakefs = status === 404 || said === "";
	return new LodeError("REPOSITORY_UNREADABLE", answer, {
		next: notLakefs
			? "Check that LODE_LAKEFS_ENDPOINT is the address of a lakeFS server of version 1.0 or later."
			: "Ask whoever keeps the lakeFS server.",
		cause: error,
	});
}

export function unexpectedAnswer(doing: string, endpoint: string, cause: unknown): LodeError {
	return new LodeError("REPOSITORY_UNREADABLE", `${doing} failed: ${endpoint} does not answer as lakeFS does.`, {
		next: "Check that LODE_LAKEFS_ENDPOINT is the address of a lakeFS server of version 1.0 or later.",
		cause,
	});
}

export function cancelled(doing: string, signal: AbortSignal): LodeError {
	return new LodeError("CANCELLED", `${doing} was cancelled.`, { cause: signal.reason });
}
