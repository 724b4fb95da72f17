import http from "node:http";
import https from "node:https";
import type { Client } from "minio";
import pLimit from "p-limit";
import pRetry from "p-retry";
import { isPassing, s3Error } from "./s3-errors.js";

export interface S3Options {
	/** `http(s)://host:port` */
	readonly endpoint: string;
	readonly region: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: { reveal(): string };
	/** Of temporary credentials. */
	readonly sessionToken?: { reveal(): string };
	/** Before the names of the buckets; may be empty. */
	readonly bucketPrefix: string;
	/** All objects of an installation begin with its name: several share the buckets. */
	readonly installation: string;
	/**
	 * An object that was put or renewed within this time is not renewed again. At most half of what garbage collection spares
	 * (LODE_GC_GRACE), or it could take what was found and not renewed. Milliseconds.
	 */
	readonly renewAfterMs: number;
	/** A folder for content whose size is not known before it has been read; the system's temporary folder where omitted. */
	readonly spool?: string;
}

/** Requests in flight: more do not make a server faster, and hold memory. */
const IN_FLIGHT = 20;
/** A request of which nothing moves for this long is given up. */
const STALLED_MS = 20_000;
const RETRIES = 3;
/** Larger content goes in parts of this size, of which one is in memory. */
const PART_BYTES = 16 * 1024 * 1024;

/** Every request to the object store: bounded in number and time, passing faults tried again, errors ours. */
export class S3Client {
	readonly options: S3Options;
	readonly #limit = pLimit(IN_FLIGHT);
	readonly #agent: http.Agent;
	#client: Promise<Client> | undefined;

	constructor(options: S3Options) {
		this.options = options;
		const { Agent } = options.endpoint.startsWith("https:") ? https : http;
		this.#agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT * 2 });
	}

	get bucket(): string {
		return bucketNames(this.options.bucketPrefix).artifacts;
	}

	/** The name of an object of this installation. */
	key(name: string): string {
		return `${this.options.installation}/${name}`;
	}

	/** `operation` and `thing` are for messages. What `expected` accepts is thrown as the client threw it. */
	async request<T>(
		operation: string,
		thing: string,
		work: (client: Client) => Promise<T>,
		expected: (error: unknown) => boolean = () => false,
	): Promise<T> {
		try {
			return await this.#limit(() =>
				pRetry(async () => work(await this.open()), {
					retries: RETRIES,
					minTimeout: 50,
					maxTimeout: 1_000,
					shouldRetry: ({ error }) => isPassing(error),
				}),
			);
		} catch (error) {
			if (expected(error)) throw error;
			throw s3Error(error, this.options.endpoint, operation, thing);
		}
	}

	/** For streams, whose pages are requests of their own. */
	open(): Promise<Client> {
		this.#client ??= this.#create();
		return this.#client;
	}

	close(): void {
		this.#agent.destroy();
	}

	async #create(): Promise<Client> {
		const { Client } = await import("minio");
		const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = this.options;
		const url = new URL(endpoint);
		const useSSL = url.protocol === "https:";
		return new Client({
			endPoint: url.hostname.replace(/^\[|\]$/g, ""),
			port: Number(url.port || (useSSL ? 443 : 80)),
			useSSL,
			region,
			accessKey: accessKeyId,
			secretKey: secretAccessKey.reveal(),
			sessionToken: sessionToken?.reveal(),
			partSize: PART_BYTES,
			transport: stallingTransport(useSSL ? https : http),
			transportAgent: this.#agent,
			// Tried again here, where it is known what may be repeated.
			retryOptions: { disableRetry: true },
		});
	}
}

/** The client waits for ever for a server that accepts a request and says nothing. */
function stallingTransport(transport: typeof http | typeof https): typeof http {
	const request = (options: http.RequestOptions, onResponse: (response: http.IncomingMessage) => void) => {
		const sent = transport.request({ ...options, timeout: STALLED_MS }, onResponse);
		sent.on("timeout", () => sent.destroy(Object.assign(new Error("the server stalls"), { code: "ETIMEDOUT" })));
		return sent;
	};
	return { ...transport, request } as typeof http;
}

export function bucketNames(prefix: string) {
	return {
		artifacts: `${prefix}artifacts`,
		/** Anybody may read an object whose name is known; only Lode lists and writes. */
		freshReports: `${prefix}fresh-reports`,
		/** Versioned. */
		backups: `${prefix}backups`,
	};
}
