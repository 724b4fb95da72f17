import { z } from "zod";
import type { Setting } from "./setting.js";
import { flag, hostPort, httpUrl, integer, object, oneOf, secret, text } from "./setting-values.js";

export const PROFILES = ["embedded", "servers"] as const;

/** One engine a port. Unset, the profile decides. */
export const ENGINE_SETTINGS: readonly Setting[] = [
	{ name: "LODE_CATALOG", key: "catalog", describe: "sqlite or postgres: catalog, events and embedding cache" },
	{ name: "LODE_GRAPH", key: "graph", describe: "sqlite or dgraph" },
	{ name: "LODE_VECTORS", key: "vectors", describe: "sqlite or weaviate" },
	{ name: "LODE_ARTIFACTS", key: "artifacts", describe: "folder or s3" },
];

export const enginesShape = {
	catalog: oneOf(["sqlite", "postgres"]).optional(),
	graph: oneOf(["sqlite", "dgraph"]).optional(),
	vectors: oneOf(["sqlite", "weaviate"]).optional(),
	artifacts: oneOf(["folder", "s3"]).optional(),
};

export const SERVER_SETTINGS: readonly Setting[] = [
	{
		name: "LODE_INSTALLATION",
		key: "installation",
		describe: "tells installations apart that share servers: all data of one has this name",
	},
	{ name: "LODE_POSTGRES_URL", key: "postgres.url", describe: "postgres://user@host:port/database?sslmode=…" },
	{ name: "LODE_POSTGRES_PASSWORD", key: "postgres.password", describe: "password of that user", secret: true },
	{ name: "LODE_POSTGRES_CA_FILE", key: "postgres.caFile", describe: "PEM file of the server's CA" },
	{ name: "LODE_POSTGRES_POOL_SIZE", key: "postgres.poolSize", describe: "connections of a process at most" },
	{ name: "LODE_DGRAPH_ADDRESS", key: "dgraph.address", describe: "host:port of an alpha's gRPC" },
	{ name: "LODE_DGRAPH_TLS", key: "dgraph.tls", describe: "true: TLS" },
	{ name: "LODE_DGRAPH_CA_FILE", key: "dgraph.caFile", describe: "PEM file of the server's CA" },
	{ name: "LODE_DGRAPH_TOKEN", key: "dgraph.token", describe: "auth token of the alphas", secret: true },
	{ name: "LODE_WEAVIATE_URL", key: "weaviate.url", describe: "http(s)://host:port" },
	{ name: "LODE_WEAVIATE_GRPC_ADDRESS", key: "weaviate.grpcAddress", describe: "host:port of its gRPC" },
	{ name: "LODE_WEAVIATE_API_KEY", key: "weaviate.apiKey", describe: "its API key", secret: true },
	{ name: "LODE_S3_ENDPOINT", key: "s3.endpoint", describe: "http(s)://host:port of MinIO or any S3" },
	{ name: "LODE_S3_REGION", key: "s3.region", describe: "its region" },
	{ name: "LODE_S3_ACCESS_KEY_ID", key: "s3.accessKeyId", describe: "access key" },
	{ name: "LODE_S3_SECRET_ACCESS_KEY", key: "s3.secretAccessKey", describe: "its secret", secret: true },
	{ name: "LODE_S3_SESSION_TOKEN", key: "s3.sessionToken", describe: "of temporary credentials", secret: true },
	{
		name: "LODE_S3_BUCKET_PREFIX",
		key: "s3.bucketPrefix",
		describe: "before the bucket names artifacts, fresh-reports, backups",
	},
	{ name: "LODE_LAKEFS_ENDPOINT", key: "lakefs.endpoint", describe: "http(s)://host:port of a lakeFS server" },
	{ name: "LODE_LAKEFS_ACCESS_KEY_ID", key: "lakefs.accessKeyId", describe: "access key" },
	{ name: "LODE_LAKEFS_SECRET_ACCESS_KEY", key: "lakefs.secretAccessKey", describe: "its secret", secret: true },
];

const postgresUrl = text.superRefine((value, context) => {
	const url = URL.canParse(value) ? new URL(value) : undefined;
	const fail = (message: string) => context.addIssue({ code: "custom", message });
	if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === "" || url.pathname.length < 2) {
		fail("must be postgres://user@host:port/database");
	} else if (url.password !== "" || url.searchParams.has("password")) {
		fail("must not hold a password: use LODE_POSTGRES_PASSWORD");
	}
});

export const serversShape = {
	installation: text
		.regex(/^[a-z][a-z0-9-]{0,31}$/, "must be 1 to 32 lower-case letters, digits and dashes, a letter first")
		.default("lode"),
	postgres: object({
		url: postgresUrl.optional(),
		password: secret.optional(),
		caFile: text.optional(),
		poolSize: integer(2, 200).default(10),
	}).prefault({}),
	dgraph: object({
		address: hostPort.optional(),
		tls: flag.default(false),
		caFile: text.optional(),
		token: secret.optional(),
	}).prefault({}),
	weaviate: object({
		url: httpUrl("LODE_WEAVIATE_API_KEY").optional(),
		grpcAddress: hostPort.optional(),
		apiKey: secret.optional(),
	}).prefault({}),
	s3: object({
		endpoint: httpUrl("LODE_S3_ACCESS_KEY_ID and LODE_S3_SECRET_ACCESS_KEY").optional(),
		region: text.regex(/^[a-z0-9-]+$/, "must be lower-case letters, digits and dashes").default("us-east-1"),
		accessKeyId: text.optional(),
		secretAccessKey: secret.optional(),
		sessionToken: secret.optional(),
		bucketPrefix: z
			.string({ error: "must be text" })
			.regex(/^([a-z0-9][a-z0-9-]{0,40})?$/, "must be at most 41 lower-case letters, digits and dashes")
			.optional(),
	}).prefault({}),
	lakefs: object({
		endpoint: httpUrl("LODE_LAKEFS_ACCESS_KEY_ID and LODE_LAKEFS_SECRET_ACCESS_KEY").optional(),
		accessKeyId: text.optional(),
		secretAccessKey: secret.optional(),
	}).prefault({}),
};
