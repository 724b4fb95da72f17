import { createHash } from "node:crypto";
import { LodeError } from "../../../domain/errors.js";
import { readObject } from "./read-object.js";
import type { S3Client } from "./s3-client.js";
import { removeBelow } from "./s3-listing.js";

export const DERIVED = "derived/";
const KEY = /^[a-z0-9/_.-]{1,200}$/;
/** Ends the name of a key: `a` and `a/b` may both be keys, and MinIO keeps no object below another one. */
const SUFFIX = "~";
const CHECKSUM_BYTES = 32;

/** Objects that can be computed again; a damaged one counts as absent. */
export class S3Derived {
	constructor(private readonly client: S3Client) {}

	async put(key: string, bytes: Uint8Array): Promise<void> {
		assertKey(key);
		const body = Buffer.concat([checksum(bytes), bytes]);
		const metadata = { "content-type": "application/octet-stream", "x-amz-meta-lode-kind": "derived" };
		await this.client.request("store", key, (minio) =>
			minio.putObject(this.client.bucket, this.client.key(derivedName(key)), body, body.length, metadata),
		);
	}

	async get(key: string): Promise<Uint8Array | undefined> {
		assertKey(key);
		const found = await readObject(this.client, derivedName(key), key);
		if (found === undefined) return undefined;
		const bytes = found.bytes.subarray(CHECKSUM_BYTES);
		return checksum(bytes).equals(found.bytes.subarray(0, CHECKSUM_BYTES)) ? bytes : undefined;
	}

	/** Deletes every key that begins with the prefix. */
	async remove(prefix: string): Promise<void> {
		assertKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
		await removeBelow(this.client, `${DERIVED}${prefix}`);
	}
}

const derivedName = (key: string): string => `${DERIVED}${key}${SUFFIX}`;

/** The key of an object's name below `derived/`; undefined for what is none of ours. */
export function derivedKey(name: string): string | undefined {
	return name.endsWith(SUFFIX) ? name.slice(DERIVED.length, -SUFFIX.length) : undefined;
}

function assertKey(key: string): void {
	const wrong = (part: string) => part === "" || part.endsWith(".");
	if (!KEY.test(key) || key.split("/").some(wrong))
		throw new LodeError("INTERNAL", `"${key.slice(0, 80)}" is no key of a derived object`);
}

const checksum = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
