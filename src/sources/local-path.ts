import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LodeError } from "../domain/errors.js";
import { describeTarget } from "./describe-target.js";

/** An absolute path of what the target names on this machine, links resolved; undefined where nothing is there. */
export async function localPath(target: string): Promise<string | undefined> {
	refuseHostile(target);
	try {
		const given = /^file:\/\//i.test(target) ? fileURLToPath(target) : target;
		return await realpath(path.resolve(process.cwd(), given));
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code === "EACCES" || code === "EPERM") {
			throw new LodeError("PERMISSION_DENIED", `Reading ${describeTarget(target)} is not permitted.`, {
				next: "Give the user that runs Lode read access to it.",
				cause: error,
			});
		}
		return undefined;
	}
}

export async function isDirectory(absolute: string): Promise<boolean> {
	return (await stat(absolute).catch(() => undefined))?.isDirectory() ?? false;
}

/** Before anything else sees a target: what would be an option, a remote helper's command, or no text. @throws SOURCE_NOT_FOUND */
export function refuseHostile(target: string): void {
	if (target === "") throw noAddress(target, "it is empty");
	if (target.length > 4_096) throw noAddress(target, "it is too long");
	if (target.startsWith("-"))
		throw noAddress(target, "it would be taken for an option", `Write ./${target} for a path.`);
	if (/\p{Cc}/u.test(target)) throw noAddress(target, "it has control characters");
	if (/^[a-z0-9+.-]{1,30}::/i.test(target)) throw noAddress(target, "remote helpers are not followed");
}

export function noAddress(target: string, why: string, next?: string): LodeError {
	return new LodeError("SOURCE_NOT_FOUND", `${describeTarget(target)} cannot be followed: ${why}.`, {
		next: next ?? "Give a path, or a URL that starts with https://, http://, ssh://, git:// or file://.",
	});
}
