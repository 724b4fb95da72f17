import { type ErrorCode, errorCode } from "../../src/domain/errors.js";

export interface Failed {
	readonly code: ErrorCode | undefined;
	readonly message: string;
	readonly next: string;
	readonly cause?: unknown;
}

/** What the work failed with, as a reader is told. @throws where it succeeded */
export async function failure(work: Promise<unknown>): Promise<Failed> {
	const error: unknown = await work.then(
		() => {
			throw new Error("it succeeded");
		},
		(reason: unknown) => reason,
	);
	const { message, next, cause } = error as { message: string; next: string; cause?: unknown };
	return { code: errorCode(error), message, next, cause };
}
