import { errorCode, LodeError } from "../../../domain/errors.js";

/** Windows refuses to replace or move a file that someone has open just now. */
export const IN_USE: ReadonlySet<string> = new Set(["EPERM", "EACCES", "EBUSY"]);

export function systemCode(error: unknown): string | undefined {
	if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
	return typeof error.code === "string" ? error.code : undefined;
}

/** Maps what the file system threw. `thing` is an address or key, never content. */
export function archiveError(error: unknown, operation: string, thing: string): LodeError {
	if (errorCode(error) !== undefined) return error as LodeError;
	const code = systemCode(error);
	const make = (ours: ConstructorParameters<typeof LodeError>[0], why: string, next: string) =>
		new LodeError(ours, `Cannot ${operation} ${thing} in the archive: ${why}`, { next, cause: error });
	switch (code) {
		case "ENOSPC":
		case "EDQUOT":
			return make("DISK_FULL", "the disk is full", "Free some disk space, then repeat the command.");
		case "EACCES":
		case "EPERM":
		case "EROFS":
			return make("PERMISSION_DENIED", "no permission", "Give this user write access to the archive's folder.");
		default:
			return make("STORE_UNAVAILABLE", `the file system failed (${code ?? "unknown"})`, "Check the disk, then repeat.");
	}
}
