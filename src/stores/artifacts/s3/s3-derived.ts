import { assertKey, assertPrefix, KEY_SUFFIX, withChecksum, withoutChecksum } from "../keyed-bytes.js";
import { readObject } from "./read-object.js";
import type { S3Client } from "./s3-client.js";
import { removeBelow } from "./s3-listing.js";

export const DERIVED = "derived/";

/** Objects that can be computed again; a damaged one counts as absent. */
export class S3Derived {
	constructor(private readonly client: S3Client) {}

	async put(key: string, bytes: Uint8Array): Promise<void> {
		assertKey(key);
		const body = withChecksum(bytes);
		const metadata = { "content-type": "application/octet-stream", "x-amz-meta-lode-kind": "derived" };
		await this.client.request("store", key, (minio) =>
			minio.putObject(this.client.bucket, this.client.key(derivedName(key)), body, body.length, metadata),
		);
	}

	async get(key: string): Promise<Uint8Array | undefined> {
		assertKey(key);
		const found = await readObject(this.client, derivedName(key), key);
		return found && withoutChecksum(found.bytes);
	}

	/** Deletes every key that begins with the prefix. */
	async remove(prefix: string): Promise<void> {
		assertPrefix(prefix);
		await removeBelow(this.client, `${DERIVED}${prefix}`);
	}
}

const derivedName = (key: string): string => `${DERIVED}${key}${KEY_SUFFIX}`;

/** The key of an object's name below `derived/`; undefined for what is none of ours. */
export function derivedKey(name: string): string | undefined {
	return name.endsWith(KEY_SUFFIX) ? name.slice(DERIVED.length, -KEY_SUFFIX.length) : undefined;
}
