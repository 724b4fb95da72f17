import { isUtf8 } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BucketItemStat } from "minio";
import { sha256 } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import type { ObjectContent, ObjectInfo } from "../artifacts.port.js";
import { checkedContent } from "../checked-content.js";
import { readObject, streamObject } from "./read-object.js";
import type { S3Client } from "./s3-client.js";
import { isAbsent, isRefused } from "./s3-errors.js";

export const OBJECTS = "objects/";
const ADDRESS = /^[0-9a-f]{64}$/;
/** Content up to this is held in memory and put by one request. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** How much of a text is looked at to tell that it is one. */
const SNIFFED_BYTES = 8_192;

export const objectName = (address: string): string => `${OBJECTS}${address.slice(0, 2)}/${address.slice(2)}`;

/** Objects by the SHA-256 of their bytes. */
export class S3Objects {
	constructor(private readonly client: S3Client) {}

	async put(contents: readonly Uint8Array[]): Promise<string[]> {
		const addresses = contents.map(sha256);
		const byAddress = new Map(addresses.map((address, index) => [address, contents[index] as Uint8Array]));
		await Promise.all([...byAddress].map(([address, bytes]) => this.#put(address, bytes)));
		return addresses;
	}

	async putStream(content: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
		const iterator = content[Symbol.asyncIterator]();
		const held: Uint8Array[] = [];
		let size = 0;
		while (size <= SMALL_BYTES) {
			const { value, done } = await iterator.next();
			if (done) {
				const bytes = Buffer.concat(held);
				const [object] = (await this.put([bytes])) as [string];
				return { object, size };
			}
			held.push(value);
			size += value.length;
		}
		return this.#putSpooled(held, iterator);
	}

	async get(address: string): Promise<Uint8Array | undefined> {
		assertAddress(address);
		const found = await readObject(this.client, objectName(address), address);
		if (found === undefined) return undefined;
		if (sha256(found.bytes) !== address) throw damaged(address);
		return found.bytes;
	}

	async getStream(address: string): Promise<ObjectContent | undefined> {
		assertAddress(address);
		const found = await streamObject(this.client, objectName(address), address);
		return found && { ...found, pieces: checkedContent(address, found.pieces, () => damaged(address)) };
	}

	/** Which are absent; renews those that are there. */
	async missing(addresses: readonly string[]): Promise<string[]> {
		const unique = [...new Set(addresses)];
		for (const address of unique) assertAddress(address);
		const there = await Promise.all(unique.map((address) => this.#renewed(address, undefined)));
		return unique.filter((_, index) => !there[index]);
	}

	async #put(address: string, bytes: Uint8Array): Promise<void> {
		// A large body is not sent to learn that it is there.
		if (bytes.length > SMALL_BYTES && (await this.#renewed(address, bytes.length))) return;
		const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		for (let only = true; ; ) {
			if (await this.#write(address, body, body.length, bytes, only)) return;
			if (await this.#renewed(address, bytes.length)) return;
			// Gone since, or of another size: damaged.
			only = false;
		}
	}

	/** Only where nothing is (`only`): false where something is. */
	async #write(
		address: string,
		body: Buffer | NodeJS.ReadableStream,
		size: number,
		head: Uint8Array,
		only: boolean,
	): Promise<boolean> {
		try {
			await this.client.request(
				"store",
				address,
				(minio) =>
					minio.putObject(this.client.bucket, this.client.key(objectName(address)), body as Buffer, size, {
						...metadata(address, head),
						// Parts of a large object know no condition.
						...(only && size <= SMALL_BYTES ? { "if-none-match": "*" } : {}),
					}),
				isRefused,
			);
			return true;
		} catch (error) {
			if (isRefused(error)) return false;
			throw error;
		}
	}

	/** Whether it is there with the right size; its time is then new enough that no collection that runs now takes it. */
	async #renewed(address: string, size: number | undefined): Promise<boolean> {
		const { client } = this;
		const name = client.key(objectName(address));
		try {
			const found = await client.request(
				"look for",
				address,
				(minio) => minio.statObject(client.bucket, name),
				isAbsent,
			);
			if (size !== undefined && found.size !== size) return false;
			if (Date.now() - found.lastModified.getTime() >= client.options.renewAfterMs)
				await this.#renew(name, address, found);
			return true;
		} catch (error) {
			if (isAbsent(error)) return false;
			throw error;
		}
	}

	/** A copy onto itself is a new version with a new time; no byte leaves the server. */
	async #renew(name: string, address: string, found: BucketItemStat): Promise<void> {
		const { CopyDestinationOptions, CopySourceOptions } = await import("minio");
		const { bucket } = this.client;
		const source = new CopySourceOptions({ Bucket: bucket, Object: name });
		const destination = new CopyDestinationOptions({
			Bucket: bucket,
			Object: name,
			MetadataDirective: "REPLACE",
			Headers: { "content-type": String(found.metaData["content-type"] ?? "application/octet-stream") },
			UserMetadata: { "lode-kind": "artifact", "lode-sha256": address },
		});
		await this.client.request("renew", address, (minio) => minio.copyObject(source, destination), isAbsent);
	}

	/** Content whose size and address are known only after it has been read lies in a file meanwhile, never in memory. */
	async #putSpooled(held: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): Promise<ObjectInfo> {
		const folder = this.client.options.spool ?? tmpdir();
		await mkdir(folder, { recursive: true });
		const path = join(folder, `lode-spool-${randomUUID()}`);
		const handle = await open(path, "wx+", 0o600);
		try {
			const hash = createHash("sha256");
			let size = 0;
			const write = async (chunk: Uint8Array) => {
				hash.update(chunk);
				size += chunk.length;
				for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
			};
			for (const chunk of held) await write(chunk);
			for (;;) {
				const { value, done } = await rest.next();
				if (done) break;
				await write(value);
			}
			const object = hash.digest("hex");
			if (!(await this.#renewed(object, size))) {
				const body = handle.createReadStream({ start: 0, autoClose: false });
				await this.#write(object, body, size, held[0] ?? new Uint8Array(), false);
			}
			return { object, size };
		} finally {
			await handle.close();
			await rm(path, { force: true });
		}
	}
}

const damaged = (address: string) =>
	new LodeError("STORE_CORRUPT", `Object ${address} of the archive holds other bytes`, {
		next: "Delete the object, then ingest again what refers to it, or restore it from a backup.",
	});

function assertAddress(address: string): void {
	if (!ADDRESS.test(address)) throw new LodeError("INTERNAL", `"${address.slice(0, 80)}" is no address of an object`);
}

function metadata(address: string, head: Uint8Array): Record<string, string> {
	const start = head.subarray(0, SNIFFED_BYTES);
	// A character may be cut at the end of what is looked at.
	const text =
		!start.includes(0) && [0, 1, 2, 3].some((cut) => isUtf8(start.subarray(0, Math.max(0, start.length - cut))));
	return {
		"content-type": text ? "text/plain; charset=utf-8" : "application/octet-stream",
		"x-amz-meta-lode-kind": "artifact",
		"x-amz-meta-lode-sha256": address,
	};
}
