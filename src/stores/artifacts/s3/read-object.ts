import type { IncomingMessage } from "node:http";
import type { ObjectContent } from "../artifacts.port.js";
import type { S3Client } from "./s3-client.js";
import { isAbsent, s3Error } from "./s3-errors.js";

export interface ReadObject {
	readonly bytes: Buffer;
	readonly etag: string;
	readonly lastModified: Date;
}

/** A whole object; undefined where there is none. `thing` is for messages. */
export async function readObject(client: S3Client, name: string, thing: string): Promise<ReadObject | undefined> {
	try {
		return await client.request(
			"read",
			thing,
			async (minio) => {
				const stream = await minio.getObject(client.bucket, client.key(name));
				const chunks: Buffer[] = [];
				for await (const chunk of stream) chunks.push(chunk as Buffer);
				// The client gives its HTTP response as the stream.
				const { headers = {} } = stream as unknown as { headers?: Record<string, string | undefined> };
				return {
					bytes: Buffer.concat(chunks),
					etag: (headers.etag ?? "").replaceAll('"', ""),
					lastModified: new Date(headers["last-modified"] ?? 0),
				};
			},
			isAbsent,
		);
	} catch (error) {
		if (isAbsent(error)) return undefined;
		throw error;
	}
}

/** An object as it comes, not in memory. A reader that takes nothing for 20 s loses the connection, and the iteration throws. */
export async function streamObject(client: S3Client, name: string, thing: string): Promise<ObjectContent | undefined> {
	try {
		const stream = await client.request(
			"read",
			thing,
			(minio) => minio.getObject(client.bucket, client.key(name)),
			isAbsent,
		);
		// The client gives its HTTP response as the stream.
		const { headers } = stream as unknown as IncomingMessage;
		return { size: Number(headers["content-length"]), pieces: piecesOf(stream, client, thing) };
	} catch (error) {
		if (isAbsent(error)) return undefined;
		throw error;
	}
}

async function* piecesOf(stream: AsyncIterable<Uint8Array>, client: S3Client, thing: string) {
	try {
		yield* stream;
	} catch (error) {
		throw s3Error(error, client.options.endpoint, "read", thing);
	}
}
