/**
 * What the tests run against, and so what docker-compose.yml may run (test/deploy compares them). Dgraph and lakeFS are in no package registry: the
 * executables of `../shared/servers` were built from the sources named here and call themselves `dev`.
 */
export const SERVER_VERSIONS = {
	temporal: { cli: "1.5.1", server: "1.29.1", ui: "2.42.1" },
	postgres: { major: 15 },
	dgraph: { module: "github.com/dgraph-io/dgraph/v25", major: 25 },
	weaviate: { module: "github.com/weaviate/weaviate/cmd/weaviate-server", version: "v1.35.2" },
	/** The pseudo-version names the day of the commit: it is the release of that day or the one before. */
	minio: { module: "github.com/minio/minio", version: "v0.0.0-20260212201848-7aac2a2c5b7c" },
	lakefs: { module: "github.com/treeverse/lakefs", major: 1 },
} as const;
