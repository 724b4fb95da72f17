import { createHash } from "node:crypto";
import { LodeError } from "../../domain/errors.js";

const KEY = /^[a-z0-9/_.-]{1,200}$/;
/** Ends the name of a key in the engine: `a` and `a/b` may both be keys, and neither a folder nor MinIO has both. */
export const KEY_SUFFIX = "~";
const CHECKSUM_BYTES = 32;

/** @throws INTERNAL for what is no key */
export function assertKey(key: string): void {
	// Windows drops dots at the end of a name, so two keys could meet in one file.
	const wrong = (part: string) => part === "" || part.endsWith(".");
	if (!KEY.test(key) || key.split("/").some(wrong))
		throw new LodeError("INTERNAL", `"${key.slice(0, 80)}" is no key of a derived object`);
}

/** A prefix of keys: a key, or one with a slash behind it. */
export function assertPrefix(prefix: string): void {
	assertKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}

/** Bytes behind their SHA-256: what has a key cannot prove itself by its name. */
export function withChecksum(bytes: Uint8Array): Buffer {
	return Buffer.concat([checksum(bytes), bytes]);
}

/** Undefined where they are damaged. */
export function withoutChecksum(stored: Buffer): Buffer | undefined {
	const bytes = stored.subarray(CHECKSUM_BYTES);
	return checksum(bytes).equals(stored.subarray(0, CHECKSUM_BYTES)) ? bytes : undefined;
}

const checksum = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
