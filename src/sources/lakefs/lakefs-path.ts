import { Buffer } from "node:buffer";
import { decodePath, encodePath } from "../path-name.js";

/**
 * An object's name as a path of Lode, without loss: as `encodePath` does, and where a name begins with a slash or holds two in a row, the
 * slash that no component precedes is written `\x2f`, because no component of a path may be empty.
 *
 * Undefined for names that are no files here: those that end with a slash mark folders, and those that hold U+FFFD were not UTF-8, so that
 * lakeFS's API, whose answers are JSON, cannot say what they are.
 */
export function pathOfObject(name: string): string | undefined {
	if (name === "" || name.endsWith("/") || name.includes("\ufffd")) return undefined;
	const path = encodePath(Buffer.from(name, "utf8"));
	return path.replace(/^\/+|\/{2,}/g, (slashes, at: number) =>
		at === 0 ? "\\x2f".repeat(slashes.length) : `/${"\\x2f".repeat(slashes.length - 1)}`,
	);
}

/** The name of the object that `pathOfObject` was given. */
export function objectOfPath(path: string): string {
	return decodePath(path).toString("utf8");
}
