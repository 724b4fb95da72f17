import { hash } from "node:crypto";
import { compareBytes } from "../../domain/byte-order.js";
import { LodeError } from "../../domain/errors.js";

const KEY = /^[a-z0-9/_.-]{1,200}$/;
/** Ends the name of a key in the engine: `a` and `a/b` may both be keys, and neither a folder nor MinIO has both. */
export const KEY_SUFFIX = "~";
const CHECKSUM_BYTES = 32;
/** One request of an object store carries it: only a whole one knows a condition. */
const MAX_RECORD_BYTES = 8 * 1024 * 1024;

/** @throws INTERNAL for what is no key */
export function assertKey(key: string): void {
	// Windows drops dots at the end of a name, so two keys could meet in one file.
	const wrong = (part: string) => part === "" || part.endsWith(".");
	if (!KEY.test(key) || key.split("/").some(wrong))
		throw new LodeError("INTERNAL", `"${key.slice(0, 80)}" is no key of the archive`);
}

/** A prefix of keys: a key, or one with a slash behind it. */
export function assertPrefix(prefix: string): void {
	assertKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}

/** @throws INTERNAL for what is no key, and for bytes that are too many */
export function assertRecord(key: string, bytes: Uint8Array): void {
	assertKey(key);
	if (bytes.length > MAX_RECORD_BYTES)
		throw new LodeError("INTERNAL", `The record ${key} has ${bytes.length} bytes, more than ${MAX_RECORD_BYTES}`);
}

export const damagedRecord = (key: string): LodeError =>
	new LodeError("STORE_CORRUPT", `The record ${key} in the archive is damaged`, {
		next: "Restore the archive from a backup.",
	});

/** In byte order of the keys: engines order them with their suffix, which puts `10/x` before `10`. */
export async function keysAfter(keys: AsyncIterable<string>, after: string | undefined): Promise<string[]> {
	const found: string[] = [];
	for await (const key of keys) if (after === undefined || compareBytes(key, after) > 0) found.push(key);
	return found.sort(compareBytes);
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

const checksum = (bytes: Uint8Array): Buffer => hash("sha256", bytes, "buffer");
