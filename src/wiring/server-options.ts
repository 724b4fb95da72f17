import { join } from "node:path";
import type { Config } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import type { LakefsOptions } from "../sources/lakefs/lakefs-options.js";
import type { S3Options } from "../stores/artifacts/s3/s3-client.js";
import type { DgraphOptions } from "../stores/graph/dgraph/dgraph-client.js";
import type { PostgresOptions } from "../stores/postgres/postgres-options.js";
import type { WeaviateOptions } from "../stores/vectors/weaviate/weaviate-connection.js";

/** What was validated with the rest of the configuration is there; this is for whoever builds one by hand. */
function needed<T>(value: T | undefined, setting: string): T {
	if (value !== undefined) return value;
	throw new LodeError("CONFIG_INVALID", `${setting} is needed`, { next: `Set ${setting}.` });
}

export function postgresOptions({ postgres, installation }: Config): PostgresOptions {
	const { url, password, poolSize, caFile } = postgres;
	return { url: needed(url, "LODE_POSTGRES_URL"), password, poolSize, caFile, installation };
}

export function dgraphOptions({ dgraph, installation }: Config): DgraphOptions {
	const { address, tls, caFile, token } = dgraph;
	return { address: needed(address, "LODE_DGRAPH_ADDRESS"), tls, caFile, token, installation };
}

export function weaviateOptions({ weaviate, installation }: Config): WeaviateOptions {
	return {
		url: needed(weaviate.url, "LODE_WEAVIATE_URL"),
		grpcAddress: needed(weaviate.grpcAddress, "LODE_WEAVIATE_GRPC_ADDRESS"),
		apiKey: weaviate.apiKey,
		installation,
	};
}

/** Undefined where no lakeFS is configured: it is a source, which no profile needs. */
export function lakefsOptions({ lakefs }: Pick<Config, "lakefs">): LakefsOptions | undefined {
	const { endpoint, accessKeyId, secretAccessKey } = lakefs;
	if (endpoint === undefined) return undefined;
	return {
		endpoint,
		accessKeyId: needed(accessKeyId, "LODE_LAKEFS_ACCESS_KEY_ID"),
		secretAccessKey: needed(secretAccessKey, "LODE_LAKEFS_SECRET_ACCESS_KEY"),
	};
}

/** Longer than this, what garbage collection spares hardly grows. Milliseconds. */
const LONGEST_RENEWAL_MS = 600_000;

export function s3Options({ s3, installation, gc, home }: Config): S3Options {
	const { endpoint, region, accessKeyId, secretAccessKey, sessionToken, bucketPrefix } = s3;
	return {
		endpoint: needed(endpoint, "LODE_S3_ENDPOINT"),
		region,
		accessKeyId: needed(accessKeyId, "LODE_S3_ACCESS_KEY_ID"),
		secretAccessKey: needed(secretAccessKey, "LODE_S3_SECRET_ACCESS_KEY"),
		sessionToken,
		bucketPrefix: bucketPrefix ?? "",
		installation,
		renewAfterMs: Math.min(LONGEST_RENEWAL_MS, (gc.graceSeconds * 1_000) / 2),
		spool: join(home, "spool"),
	};
}
