import type { Client, Metadata } from "@grpc/grpc-js";
import type { FilterValue } from "weaviate-client";
import { clientModule } from "./client-module.js";
import { type FoundId, readFoundIds } from "./found-ids.js";

/** The nearest of the objects that a filter lets pass, nearest first. */
export interface NearestAsked {
	readonly collection: string;
	readonly filters: FilterValue;
	readonly limit: number;
	/** Of the collection's dimensions. */
	readonly vector: Float32Array;
}

/** Of the client: how a search is written, and its answer read. */
interface Protocol {
	readonly SearchRequest: {
		fromPartial(partial: object): object;
		encode(message: object): { finish(): Uint8Array };
	};
	readonly SearchReply: { decode(bytes: Uint8Array): SearchReply };
	readonly filtersGRPC: (filters: FilterValue) => object;
}

interface SearchReply {
	readonly results: readonly {
		readonly properties?: {
			readonly nonRefProps?: { readonly fields: Readonly<Record<string, { textValue?: string }>> };
		};
	}[];
}

interface Server {
	/** host:port */
	readonly address: string;
	readonly isSecure: boolean;
	readonly apiKey: string | undefined;
	/** Milliseconds until a request is given up. */
	readonly timeoutMs: number;
}

const METHOD = "/weaviate.v1.Weaviate/Search";
/** VECTOR_TYPE_SINGLE_FP32 of the protocol. */
const SINGLE_FP32 = 1;
/** What the client takes and sends at most. */
const MESSAGE_BYTES = 104_858_000;

/**
 * The searches that a question waits for, without what the client makes of their answers: of each of some hundred objects a dozen objects and promises,
 * and as much garbage, which is half of the processor time that such a search takes here.
 */
export class SearchChannel {
	private constructor(
		private readonly server: Server,
		private readonly protocol: Protocol,
		private readonly client: Client,
		private readonly metadata: Metadata,
	) {}

	static async open(server: Server): Promise<SearchChannel> {
		const [{ Client, Metadata, credentials }, { SearchRequest, SearchReply }, { Serialize }] = await Promise.all([
			import("@grpc/grpc-js"),
			clientModule<Omit<Protocol, "filtersGRPC">>("./proto/v1/search_get.js"),
			clientModule<{ Serialize: Pick<Protocol, "filtersGRPC"> }>("./collections/serialize/index.js"),
		]);
		const client = new Client(
			server.address,
			server.isSecure ? credentials.createSsl() : credentials.createInsecure(),
			{
				"grpc.max_receive_message_length": MESSAGE_BYTES,
				"grpc.max_send_message_length": MESSAGE_BYTES,
				// A server that comes back is noticed within two seconds; gRPC's own pauses grow to two minutes.
				"grpc.initial_reconnect_backoff_ms": 200,
				"grpc.max_reconnect_backoff_ms": 2_000,
			},
		);
		const metadata = new Metadata();
		if (server.apiKey !== undefined) metadata.set("authorization", `Bearer ${server.apiKey}`);
		const protocol = { SearchRequest, SearchReply, filtersGRPC: Serialize.filtersGRPC };
		return new SearchChannel(server, protocol, client, metadata);
	}

	/** @throws what gRPC says */
	nearest({ collection, filters, limit, vector }: NearestAsked): Promise<FoundId[]> {
		const message = {
			...{ collection, limit, filters: this.protocol.filtersGRPC(filters) },
			nearVector: { vectors: [{ type: SINGLE_FP32, vectorBytes: bytesOf(vector) }] },
			metadata: { uuid: true, distance: true },
			properties: only(),
		};
		return this.#ask(message, readFoundIds);
	}

	/** A text of the first object that a filter lets pass, undefined where there is none. @throws what gRPC says */
	text(collection: string, filters: FilterValue, property: string): Promise<string | undefined> {
		const message = {
			...{ collection, limit: 1, filters: this.protocol.filtersGRPC(filters) },
			metadata: { uuid: true },
			properties: only(property),
		};
		return this.#ask(message, (reply) => {
			const [found] = this.protocol.SearchReply.decode(reply).results;
			return found?.properties?.nonRefProps?.fields[property]?.textValue;
		});
	}

	close(): void {
		this.client.close();
	}

	#ask<T>(message: object, read: (reply: Buffer) => T): Promise<T> {
		const { SearchRequest } = this.protocol;
		return new Promise((resolve, reject) => {
			this.client.makeUnaryRequest(
				METHOD,
				(asked: object) => Buffer.from(SearchRequest.encode(SearchRequest.fromPartial(asked)).finish()),
				(reply) => ({ answer: read(reply) }),
				// Which of the protocol's forms are meant, as the client says.
				{ ...message, uses123Api: true, uses125Api: true, uses127Api: true },
				this.metadata,
				{ deadline: Date.now() + this.server.timeoutMs },
				(error, reply) => (reply === undefined ? reject(error) : resolve(reply.answer)),
			);
		});
	}
}

/** Only these properties come back. */
const only = (...properties: readonly string[]) => ({ nonRefProperties: properties, returnAllNonrefProperties: false });

/** Little-endian, as the protocol wants them and all processors that Node runs on have them. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
	new Uint8Array(buffer, byteOffset, byteLength);
