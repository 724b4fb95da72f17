import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePorts } from "../free-ports.js";
import type { ServerDefinition } from "../server.js";

export const weaviate: ServerDefinition<"weaviate"> = {
	name: "weaviate",
	title: "Weaviate",
	programs: ["weaviate"],
	howTo: "npm run servers:install builds it where Go is installed",
	async prepare(binaries, folder, options) {
		const [port, grpc, gossip, data, raft, rpc] = (await freePorts(6)).map(String) as [
			string,
			string,
			string,
			string,
			string,
			string,
		];
		const url = `http://127.0.0.1:${port}`;
		const apiKey = options.apiKey ? randomBytes(16).toString("hex") : undefined;
		const access: Record<string, string> =
			apiKey === undefined
				? { AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "true" }
				: {
						AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "false",
						AUTHENTICATION_APIKEY_ENABLED: "true",
						AUTHENTICATION_APIKEY_ALLOWED_KEYS: apiKey,
						AUTHENTICATION_APIKEY_USERS: "lode",
					};
		return {
			addresses: { url, grpcAddress: `127.0.0.1:${grpc}`, ...(apiKey !== undefined && { apiKey }) },
			processes: [
				{
					name: "weaviate",
					command: binaries.weaviate as string,
					args: ["--host", "127.0.0.1", "--port", port, "--scheme", "http"],
					env: {
						PERSISTENCE_DATA_PATH: join(folder, "data"),
						CLUSTER_HOSTNAME: "node1",
						CLUSTER_ADVERTISE_ADDR: "127.0.0.1",
						CLUSTER_GOSSIP_BIND_PORT: gossip,
						CLUSTER_DATA_BIND_PORT: data,
						RAFT_PORT: raft,
						RAFT_INTERNAL_RPC_PORT: rpc,
						RAFT_BOOTSTRAP_EXPECT: "1",
						// By default five: a node that is alone would wait five to ten seconds, at each start, for others to elect it.
						RAFT_TIMEOUTS_MULTIPLIER: "1",
						GRPC_PORT: grpc,
						DEFAULT_VECTORIZER_MODULE: "none",
						DISABLE_TELEMETRY: "true",
						// It would listen on a fixed port.
						GO_PROFILING_DISABLE: "true",
						LOG_LEVEL: "warning",
						GOMEMLIMIT: "4GiB",
						ASYNC_INDEXING: String(options.asyncIndexing ?? process.env.LODE_TEST_WEAVIATE_ASYNC === "1"),
						...access,
					},
				},
			],
			async ready() {
				const response = await fetch(`${url}/v1/.well-known/ready`, { signal: AbortSignal.timeout(2_000) });
				return response.ok;
			},
		};
	},
};
