import { readFileSync } from "node:fs";
import type { Mutation, Operation, Request, Txn } from "dgraph-js";
import pRetry from "p-retry";
import { LodeError } from "../../../domain/errors.js";
import { dgraphError, isAborted, isPending } from "./dgraph-errors.js";

export interface DgraphOptions {
	/** host:port of an alpha's gRPC. */
	readonly address: string;
	/** Tells installations on one server apart. */
	readonly installation: string;
	readonly tls?: boolean;
	/** PEM file of the server's CA; implies `tls`. */
	readonly caFile?: string;
	readonly token?: { reveal(): string };
}

/** Well below an activity's time-out: a call that hangs is tried again by name. Milliseconds. */
const QUERY_MS = 60_000;
const WRITE_MS = 60_000;
const SCHEMA_MS = 120_000;
/** Bytes of an answer: pages are far smaller, except for a hub with very many states. */
const MESSAGE_BYTES = 256 * 1024 * 1024;
/** An aborted transaction meets another one with a chance; many times in a row only while something deletes. */
const ABORTED_RETRIES = 40;

/** What a transaction asks and writes. */
export interface Transaction {
	query<T>(dql: string): Promise<T>;
	/** JSON objects to set, and N-Quads of uids and predicates to delete. */
	mutate(change: Change): Promise<void>;
	/** The last change of the transaction, committed by the same request. */
	commitWith(change: Change): Promise<void>;
}

interface Change {
	readonly set?: readonly object[];
	readonly deletes?: readonly string[];
}

interface Connected {
	readonly library: typeof import("dgraph-js");
	readonly client: import("dgraph-js").DgraphClient;
	readonly stub: import("dgraph-js").DgraphClientStub;
}

/** Dgraph over gRPC: linearizable reads, transactions repeated when they are aborted, a deadline for each call, errors ours. */
export class DgraphConnection {
	readonly options: DgraphOptions;
	#connected: Promise<Connected> | undefined;

	constructor(options: DgraphOptions) {
		this.options = options;
	}

	/** Never best effort: a reader sees every transaction that was acknowledged before it asked. */
	async query<T>(operation: string, dql: string, variables: Readonly<Record<string, string>> = {}): Promise<T> {
		return this.#call(operation, async ({ client }) => {
			const transaction = client.newTxn({ readOnly: true });
			const response = await transaction.queryWithVars(dql, variables, await this.#metadata(), deadline(QUERY_MS));
			return response.getJson() as T;
		});
	}

	/** Runs `work` in a transaction and commits it; repeats all of it where another one got in between. */
	async transact<T>(operation: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
		return this.#call(operation, ({ client, library }) =>
			pRetry(
				async () => {
					const transaction = client.newTxn();
					try {
						let committed = false;
						const onCommit = () => {
							committed = true;
						};
						const result = await work(await this.#transaction(transaction, library, onCommit));
						if (!committed) await transaction.commit(await this.#metadata(), deadline(WRITE_MS));
						return result;
					} finally {
						await transaction.discard(await this.#metadata(), deadline(WRITE_MS)).catch(() => undefined);
					}
				},
				{
					retries: ABORTED_RETRIES,
					minTimeout: 10,
					maxTimeout: 1_000,
					factor: 1.5,
					randomize: true,
					shouldRetry: ({ error }) => isAborted(error),
				},
			),
		);
	}

	/** Adds predicates and indices. Waits for transactions that are under way. */
	async alter(schema: string): Promise<void> {
		await this.#call("change the schema", ({ client, library }) =>
			pRetry(
				async () => {
					const operation: Operation = new library.Operation();
					operation.setSchema(schema);
					await client.alter(operation, await this.#metadata(), deadline(SCHEMA_MS));
				},
				{
					retries: 30,
					minTimeout: 100,
					maxTimeout: 1_000,
					shouldRetry: ({ error }) => isPending(error) || isAborted(error),
				},
			),
		);
	}

	/** What the server calls its version; `dev` for a build of one's own. */
	async serverVersion(): Promise<string> {
		return this.#call("ask for the version", async ({ library, stub }) => {
			const version = await stub.checkVersion(new library.Check(), await this.#metadata(), deadline(QUERY_MS));
			return version.getTag();
		});
	}

	async close(): Promise<void> {
		const connected = await this.#connected?.catch(() => undefined);
		connected?.stub.close();
		this.#connected = undefined;
	}

	async #transaction(transaction: Txn, library: Connected["library"], onCommit: () => void): Promise<Transaction> {
		const metadata = await this.#metadata();
		const send = async ({ set = [], deletes = [] }: Change, commit: boolean) => {
			if (set.length === 0 && deletes.length === 0) return;
			const mutations: Mutation[] = [];
			// Deletions first: a mutation may clear what it then sets anew.
			if (deletes.length > 0) {
				const mutation = new library.Mutation();
				mutation.setDelNquads(deletes.join("\n"));
				mutations.push(mutation);
			}
			if (set.length > 0) {
				const mutation = new library.Mutation();
				mutation.setSetJson(set);
				mutations.push(mutation);
			}
			for (const [index, mutation] of mutations.entries()) {
				const request: Request = new library.Request();
				request.setMutationsList([mutation]);
				const last = commit && index === mutations.length - 1;
				request.setCommitNow(last);
				await transaction.doRequest(request, metadata, deadline(WRITE_MS));
				if (last) onCommit();
			}
		};
		return {
			async query<T>(dql: string) {
				return (await transaction.queryWithVars(dql, {}, metadata, deadline(QUERY_MS))).getJson() as T;
			},
			mutate: (change) => send(change, false),
			commitWith: (change) => send(change, true),
		};
	}

	async #call<T>(operation: string, work: (connected: Connected) => Promise<T>): Promise<T> {
		try {
			this.#connected ??= this.#connect();
			return await work(await this.#connected);
		} catch (error) {
			throw dgraphError(error, this.options.address, operation);
		}
	}

	async #connect(): Promise<Connected> {
		const [library, grpc] = await Promise.all([
			import("dgraph-js").then(commonJs),
			import("@grpc/grpc-js").then(commonJs),
		]);
		const { address, tls, caFile } = this.options;
		const credentials =
			tls || caFile !== undefined
				? grpc.credentials.createSsl(caFile === undefined ? null : pem(caFile))
				: grpc.credentials.createInsecure();
		const stub = new library.DgraphClientStub(address, credentials, {
			"grpc.max_receive_message_length": MESSAGE_BYTES,
			"grpc.max_send_message_length": MESSAGE_BYTES,
			// A server that comes back is noticed within two seconds; gRPC's own pauses grow to two minutes.
			"grpc.initial_reconnect_backoff_ms": 200,
			"grpc.max_reconnect_backoff_ms": 2_000,
			"grpc.keepalive_time_ms": 20_000,
			"grpc.keepalive_timeout_ms": 10_000,
		});
		return { library, stub, client: new library.DgraphClient(stub) };
	}

	async #metadata() {
		const { Metadata } = commonJs(await import("@grpc/grpc-js"));
		const metadata = new Metadata();
		const { token } = this.options;
		// The one for alterations of open-source servers, and the one that proxies and the cloud look at.
		if (token !== undefined) {
			metadata.set("auth-token", token.reveal());
			metadata.set("authorization", token.reveal());
		}
		return metadata;
	}
}

/** Their modules are CommonJS, of which import sees the names or only the whole. */
function commonJs<T extends object>(module: T): T {
	return "default" in module ? (module.default as T) : module;
}

const deadline = (milliseconds: number) => ({ deadline: Date.now() + milliseconds });

function pem(file: string): Buffer {
	try {
		return readFileSync(file);
	} catch (error) {
		throw new LodeError("CONFIG_INVALID", `reading ${file} failed: ${(error as NodeJS.ErrnoException).code}`, {
			next: "Correct LODE_DGRAPH_CA_FILE.",
			cause: error,
		});
	}
}
