import pRetry from "p-retry";
import type { WeaviateClient } from "weaviate-client";
import { LodeError } from "../../../domain/errors.js";
import { clientModule } from "./client-module.js";
import { SearchChannel } from "./search-channel.js";
import { isPassing, weaviateError } from "./weaviate-errors.js";

export interface WeaviateOptions {
	/** `http(s)://host:port` */
	readonly url: string;
	/** host:port of its gRPC. */
	readonly grpcAddress: string;
	readonly apiKey?: { reveal(): string };
	/** Tells installations on one server apart. */
	readonly installation: string;
}

type Library = typeof import("weaviate-client");

interface Connected {
	readonly client: WeaviateClient;
	readonly library: Library;
	readonly searches: SearchChannel;
}

/** Seconds, as the client takes them: a request that hangs is given up within an activity's time-out. */
const TIMEOUT_S = { init: 5, query: 60, insert: 60 };
const RETRIES = 4;
/** The first with all that queries here use. */
const OLDEST = [1, 33] as const;

/** Every request: repeated where a fault passes, none after the deadline, errors ours. */
export class WeaviateConnection {
	#connected: Promise<Connected> | undefined;

	constructor(readonly options: WeaviateOptions) {}

	/** @throws STORE_UNAVAILABLE where the deadline (milliseconds since 1970) is over before a request leaves */
	request<T>(
		operation: string,
		work: (client: WeaviateClient, library: Library) => Promise<T>,
		deadline = Number.POSITIVE_INFINITY,
	): Promise<T> {
		return this.#ask(operation, ({ client, library }) => work(client, library), deadline);
	}

	/** What a question waits for, past the client. */
	search<T>(operation: string, work: (searches: SearchChannel) => Promise<T>): Promise<T> {
		return this.#ask(operation, ({ searches }) => work(searches), Number.POSITIVE_INFINITY);
	}

	async #ask<T>(operation: string, work: (connected: Connected) => Promise<T>, deadline: number): Promise<T> {
		try {
			return await pRetry(
				async () => {
					this.#connected ??= this.#connect();
					const connected = await this.#connected;
					// Checked last, with nothing to wait for between it and the request.
					requireTime(operation, deadline);
					return work(connected);
				},
				{ retries: RETRIES, minTimeout: 50, maxTimeout: 1_000, shouldRetry: ({ error }) => isPassing(error) },
			);
		} catch (error) {
			throw weaviateError(error, this.options, operation);
		}
	}

	/** @throws CONFIG_INVALID where it is too old */
	async serverVersion(): Promise<string> {
		const { version = "" } = await this.request("ask for the version", (client) => client.getMeta());
		requireWeaviateVersion(version, this.options.url);
		return version;
	}

	async close(): Promise<void> {
		const connected = await this.#connected?.catch(() => undefined);
		this.#connected = undefined;
		connected?.searches.close();
		await connected?.client.close();
	}

	async #connect(): Promise<Connected> {
		try {
			const library = await import("weaviate-client");
			await withoutRetries();
			const { url, grpcAddress, apiKey } = this.options;
			const http = new URL(url);
			const at = grpcAddress.lastIndexOf(":");
			const httpSecure = http.protocol === "https:";
			const client = await library.default.connectToCustom({
				httpHost: http.hostname,
				httpPort: Number(http.port || (httpSecure ? 443 : 80)),
				httpSecure,
				grpcHost: grpcAddress.slice(0, at),
				grpcPort: Number(grpcAddress.slice(at + 1)),
				grpcSecure: httpSecure,
				...(apiKey && { authCredentials: new library.default.ApiKey(apiKey.reveal()) }),
				timeout: TIMEOUT_S,
			});
			const searches = await SearchChannel.open({
				address: grpcAddress,
				isSecure: httpSecure,
				apiKey: apiKey?.reveal(),
				timeoutMs: TIMEOUT_S.query * 1_000,
			});
			return { client, library, searches };
		} catch (error) {
			// The next request tries again: the server may just have been away.
			this.#connected = undefined;
			throw error;
		}
	}
}

export function requireWeaviateVersion(version: string, url: string): void {
	const [, major = "", minor = ""] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
	if (major === "" || Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])) return;
	throw new LodeError("CONFIG_INVALID", `Weaviate at ${url} is ${version}; Lode needs ${OLDEST.join(".")} or later`, {
		next: "Upgrade that server, or set LODE_WEAVIATE_URL to another one.",
	});
}

/** For work of several requests: before each of them. @throws STORE_UNAVAILABLE */
export function requireTime(operation: string, deadline = Number.POSITIVE_INFINITY): void {
	if (Date.now() <= deadline) return;
	throw new LodeError("STORE_UNAVAILABLE", `${operation}: the time for this write is over`, {
		next: "Nothing: the work is done again.",
	});
}

/**
 * The client sends a batch up to five times by itself when the server goes away. A server that was killed within it may then have a part of its
 * objects in half, which only we know how to write anew (ChunkWriter). It has no option for that.
 */
async function withoutRetries(): Promise<void> {
	const { retryOptions } = await clientModule<{ retryOptions: { retry: boolean } }>("./grpc/retry.js");
	retryOptions.retry = false;
}
