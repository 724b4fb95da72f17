import {
	assertKey,
	assertPrefix,
	assertRecord,
	damagedRecord,
	KEY_SUFFIX,
	keysAfter,
	withChecksum,
	withoutChecksum,
} from "../keyed-bytes.js";
import { readObject } from "./read-object.js";
import type { S3Client } from "./s3-client.js";
import { isAbsent, isRefused } from "./s3-errors.js";
import { listObjects, removeBelow } from "./s3-listing.js";

const RECORDS = "records/";

const recordName = (key: string): string => `${RECORDS}${key}${KEY_SUFFIX}`;

/** Records: written once, kept until they are removed by name. */
export class S3Records {
	constructor(private readonly client: S3Client) {}

	async put(key: string, bytes: Uint8Array): Promise<void> {
		assertRecord(key, bytes);
		const body = withChecksum(bytes);
		// Refused and not there: it was removed meanwhile, or the server had two such writes at once and took neither yet.
		while (!(await this.#write(key, body))) if (await this.#isThere(key)) return;
	}

	/** @throws STORE_CORRUPT */
	async get(key: string): Promise<Uint8Array | undefined> {
		assertKey(key);
		const found = await readObject(this.client, recordName(key), key);
		if (found === undefined) return undefined;
		const bytes = withoutChecksum(found.bytes);
		if (bytes === undefined) throw damagedRecord(key);
		return bytes;
	}

	async keys(prefix: string, after: string | undefined): Promise<string[]> {
		assertPrefix(prefix);
		return keysAfter(this.#stored(prefix, after), after);
	}

	/** In every version: there is nothing of them to come back to. */
	async remove(prefix: string): Promise<void> {
		assertPrefix(prefix);
		await removeBelow(this.client, `${RECORDS}${prefix}`);
	}

	/**
	 * Begins after `after` without a suffix: no name of a later key comes before that, while after the whole name of `10` there
	 * would be no `10/x`, which is a later key.
	 */
	async *#stored(prefix: string, after: string | undefined): AsyncGenerator<string> {
		const from = after === undefined ? "" : `${RECORDS}${after}`;
		for await (const { name } of listObjects(this.client, `${RECORDS}${prefix}`, from))
			if (name.endsWith(KEY_SUFFIX)) yield name.slice(RECORDS.length, -KEY_SUFFIX.length);
	}

	/** False where something is. */
	async #write(key: string, body: Buffer): Promise<boolean> {
		const metadata = {
			"content-type": "application/octet-stream",
			"x-amz-meta-lode-kind": "record",
			"if-none-match": "*",
		};
		const { bucket } = this.client;
		try {
			await this.client.request(
				"store",
				key,
				(minio) => minio.putObject(bucket, this.client.key(recordName(key)), body, body.length, metadata),
				isRefused,
			);
			return true;
		} catch (error) {
			if (isRefused(error)) return false;
			throw error;
		}
	}

	async #isThere(key: string): Promise<boolean> {
		const { bucket } = this.client;
		try {
			await this.client.request(
				"look for",
				key,
				(minio) => minio.statObject(bucket, this.client.key(recordName(key))),
				isAbsent,
			);
			return true;
		} catch (error) {
			if (isAbsent(error)) return false;
			throw error;
		}
	}
}
