import { FaultyProxy } from "../../support/faulty-proxy.js";
import { newInstallation, postgresEnvironment } from "../../support/server-profile.js";
import { type OwnServer, ownServer } from "../../support/servers.js";
import { STORES, type StoreName } from "./plan-faults.js";

type Servers = { readonly [N in StoreName | "temporal"]: OwnServer<N> };

export interface ServerStores {
	readonly servers: Servers;
	/** A store's, all of them: Weaviate has two ports. */
	readonly proxies: Readonly<Record<StoreName, readonly FaultyProxy[]>>;
	/** Settings that lead to the stores themselves. */
	readonly env: Record<string, string>;
	/** Settings that lead there through the proxies. */
	readonly proxied: Record<string, string>;
	destroy(): Promise<void>;
}

const hostOf = (url: string) => new URL(url).host;

function through(url: string, { address }: FaultyProxy): string {
	const changed = new URL(url);
	changed.host = address;
	return changed.toString().replace(/\/$/, "");
}

/** Servers of this run's own, which it may kill, and a proxy before each store. */
export async function startServerStores(): Promise<ServerStores> {
	const [postgres, dgraph, weaviate, minio, temporal] = await Promise.all([
		ownServer("postgres"),
		ownServer("dgraph"),
		ownServer("weaviate"),
		ownServer("minio"),
		ownServer("temporal"),
	]);
	const servers: Servers = { postgres, dgraph, weaviate, minio, temporal };
	const [pg, grpc, http, rpc, s3] = (await Promise.all(
		[
			hostOf(postgres.addresses.url.replace(/^postgres:/, "http:")),
			dgraph.addresses.address,
			hostOf(weaviate.addresses.url),
			weaviate.addresses.grpcAddress,
			hostOf(minio.addresses.endpoint),
		].map((target) => FaultyProxy.before(target)),
	)) as [FaultyProxy, FaultyProxy, FaultyProxy, FaultyProxy, FaultyProxy];
	const { LODE_POSTGRES_URL, LODE_POSTGRES_PASSWORD } = postgresEnvironment(postgres.addresses.url) as {
		LODE_POSTGRES_URL: string;
		LODE_POSTGRES_PASSWORD: string;
	};
	const env = {
		LODE_PROFILE: "servers",
		LODE_INSTALLATION: newInstallation(),
		TEMPORAL_ADDRESS: temporal.addresses.address,
		LODE_POSTGRES_URL,
		LODE_POSTGRES_PASSWORD,
		LODE_DGRAPH_ADDRESS: dgraph.addresses.address,
		LODE_WEAVIATE_URL: weaviate.addresses.url,
		LODE_WEAVIATE_GRPC_ADDRESS: weaviate.addresses.grpcAddress,
		LODE_S3_ENDPOINT: minio.addresses.endpoint,
		LODE_S3_ACCESS_KEY_ID: minio.addresses.accessKeyId,
		LODE_S3_SECRET_ACCESS_KEY: minio.addresses.secretAccessKey,
	};
	const proxied = {
		...env,
		LODE_POSTGRES_URL: LODE_POSTGRES_URL.replace(hostOf(LODE_POSTGRES_URL.replace(/^postgres:/, "http:")), pg.address),
		LODE_DGRAPH_ADDRESS: grpc.address,
		LODE_WEAVIATE_URL: through(env.LODE_WEAVIATE_URL, http),
		LODE_WEAVIATE_GRPC_ADDRESS: rpc.address,
		LODE_S3_ENDPOINT: through(env.LODE_S3_ENDPOINT, s3),
	};
	return {
		servers,
		proxies: { postgres: [pg], dgraph: [grpc], weaviate: [http, rpc], minio: [s3] },
		env,
		proxied,
		async destroy() {
			await Promise.all([pg, grpc, http, rpc, s3].map((proxy) => proxy.close()));
			await Promise.all([...STORES, "temporal" as const].map((name) => servers[name].destroy()));
		},
	};
}
