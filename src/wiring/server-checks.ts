import { accessTo } from "../../temporal/server/connection.js";
import { temporalReady } from "../../temporal/server/ready.js";
import type { Config } from "../config/config.js";
import { enginesOf } from "../config/requirements.js";
import { redact } from "../config/secret.js";
import { errorCode } from "../domain/errors.js";
import type { Check, Migrated } from "../services/reports.js";
import { requireLakefs } from "../sources/lakefs/lakefs-options.js";
import { auditAfterwards } from "./access.js";
import { dgraphOptions, lakefsOptions, postgresOptions, s3Options, weaviateOptions } from "./server-options.js";

/** One server that the configuration chooses. */
interface ServerOfOurs {
	readonly name: string;
	/** Reachable, version, permissions, schema: in words. Throws what is wrong. */
	check(): Promise<Omit<Check, "name">>;
	/** Creates or upgrades what Lode keeps there. */
	migrate?(report: (line: string) => void): Promise<string>;
}

const MIGRATE = "Nothing to do: the next start brings it up to date; or run lode migrate.";
const TEMPORAL_READY_MS = 60_000;

const versions = (from: number, to: number): string =>
	from === to ? `is at version ${to}` : `from version ${from} to ${to}`;
const schemaText = (current: number, wanted: number): string =>
	current === 0 ? "no schema yet" : `schema ${current} of ${wanted}`;

function postgres(config: Config): ServerOfOurs {
	const load = async () => {
		const [{ PostgresDatabase }, { CATALOG_COMPONENT }, { EMBEDDINGS_COMPONENT }, { describePostgres }] =
			await Promise.all([
				import("../stores/postgres/postgres-database.js"),
				import("../stores/catalog/postgres/catalog-schema.js"),
				import("../embeddings/cache/postgres-embedding-cache.js"),
				import("../stores/postgres/postgres-options.js"),
			]);
		const options = postgresOptions(config);
		return {
			database: new PostgresDatabase(options),
			components: [CATALOG_COMPONENT, EMBEDDINGS_COMPONENT],
			place: describePostgres(options),
		};
	};
	return {
		name: "Postgres",
		async check() {
			const { database, components, place } = await load();
			try {
				const { version, schema, components: found, writable } = await database.probe(components);
				const behind = found.filter(({ current, wanted }) => current < wanted);
				const ahead = found.filter(({ current, wanted }) => current > wanted);
				const tables = found.map(({ name, current, wanted }) => `${name}: ${schemaText(current, wanted)}`).join(", ");
				const may = writable ? "" : ", may not create or change tables";
				return {
					status: ahead.length > 0 || !writable ? "fail" : behind.length > 0 ? "warn" : "ok",
					found: `${place}, PostgreSQL ${version}, schema ${schema}, ${tables}${may}`,
					mend:
						ahead.length > 0
							? "Run the Lode that made these tables, or a later one."
							: writable
								? MIGRATE
								: "Grant the user of LODE_POSTGRES_URL CREATE on the database, or all on that schema.",
				};
			} finally {
				await database.close();
			}
		},
		async migrate() {
			const { database, components } = await load();
			try {
				const done: string[] = [];
				for (const component of components) {
					const { from, to } = await database.migrate(component);
					done.push(`${component.name} ${versions(from, to)}`);
				}
				return `schema ${database.schema}: ${done.join(", ")}`;
			} finally {
				await database.close();
			}
		},
	};
}

function dgraph(config: Config): ServerOfOurs {
	const load = async () => {
		const [{ DgraphConnection }, schema] = await Promise.all([
			import("../stores/graph/dgraph/dgraph-client.js"),
			import("../stores/graph/dgraph/dgraph-schema.js"),
		]);
		return { connection: new DgraphConnection(dgraphOptions(config)), ...schema };
	};
	return {
		name: "Dgraph",
		async check() {
			const { connection, probeDgraph } = await load();
			try {
				const { version, schema } = await probeDgraph(connection);
				const { current, wanted } = schema;
				return {
					status: current > wanted ? "fail" : current < wanted ? "warn" : "ok",
					found: `${config.dgraph.address}, ${version}, ${schemaText(current, wanted)}`,
					mend: current > wanted ? "Run the Lode that made this schema, or a later one." : MIGRATE,
				};
			} finally {
				await connection.close();
			}
		},
		async migrate() {
			const { connection, migrateDgraph } = await load();
			try {
				const { from, to } = await migrateDgraph(connection);
				return `schema ${versions(from, to)}`;
			} finally {
				await connection.close();
			}
		},
	};
}

function weaviate(config: Config): ServerOfOurs {
	return {
		name: "Weaviate",
		async check() {
			const { probeWeaviate } = await import("../stores/vectors/weaviate/weaviate-vectors.adapter.js");
			const { version, models, schema } = await probeWeaviate(weaviateOptions(config));
			const collections = models.length === 0 ? "no collections yet" : `collections of ${models.join(", ")}`;
			return { status: "ok", found: `${config.weaviate.url}, ${version}, schema ${schema}, ${collections}` };
		},
		async migrate() {
			const { probeWeaviate } = await import("../stores/vectors/weaviate/weaviate-vectors.adapter.js");
			const { models } = await probeWeaviate(weaviateOptions(config));
			// A collection belongs to a model, and is made with its first chunk.
			return models.length === 0
				? "nothing: collections come with the first chunks"
				: `${models.length} collection(s) are there`;
		},
	};
}

function s3(config: Config): ServerOfOurs {
	const load = async () => {
		const [{ S3Client }, buckets] = await Promise.all([
			import("../stores/artifacts/s3/s3-client.js"),
			import("../stores/artifacts/s3/s3-buckets.js"),
		]);
		return { client: new S3Client(s3Options(config)), ...buckets };
	};
	return {
		name: "S3",
		async check() {
			const { client, probeBuckets } = await load();
			try {
				const { missing, wrong } = await probeBuckets(client);
				const lacks = [...missing.map((bucket) => `no bucket ${bucket} yet`), ...wrong];
				return {
					status: lacks.length === 0 ? "ok" : "warn",
					found: `${config.s3.endpoint}, ${lacks.length === 0 ? "buckets are as they should be, objects can be written, read and deleted" : lacks.join(", ")}`,
					mend: MIGRATE,
				};
			} finally {
				client.close();
			}
		},
		async migrate() {
			const { client, ensureBuckets } = await load();
			try {
				const done = await ensureBuckets(client);
				return done.length === 0 ? "buckets are there" : done.join(", ");
			} finally {
				client.close();
			}
		},
	};
}

function lakefs(config: Config): ServerOfOurs {
	return {
		name: "lakeFS",
		async check() {
			const { probeLakefs } = await import("../sources/lakefs/probe-lakefs.js");
			const { version, user } = await probeLakefs(requireLakefs(lakefsOptions(config)));
			return { status: "ok", found: `${config.lakefs.endpoint}, version ${version}, as ${user}` };
		},
	};
}

function temporal(config: Config): ServerOfOurs {
	const access = accessTo(config.temporal, config.temporal.address ?? "");
	return {
		name: "Temporal",
		// The doctor has a line of its own for it, whatever the profile.
		check: async () => ({ status: "ok", found: access.address }),
		async migrate(report) {
			await temporalReady({ access, timeoutMs: TEMPORAL_READY_MS, report });
			return `namespace ${access.namespace} and its search attributes are there`;
		},
	};
}

function chosen(config: Config): ServerOfOurs[] {
	const engines = enginesOf(config);
	return [
		...(engines.catalog === "postgres" ? [postgres(config)] : []),
		...(engines.graph === "dgraph" ? [dgraph(config)] : []),
		...(engines.vectors === "weaviate" ? [weaviate(config)] : []),
		...(engines.artifacts === "s3" ? [s3(config)] : []),
		...(config.lakefs.endpoint === undefined ? [] : [lakefs(config)]),
	];
}

/** A line a server, for the doctor. Changes nothing and never throws. */
export function checkServers(config: Config): Promise<Check[]> {
	return Promise.all(
		chosen(config).map(async ({ name, check }): Promise<Check> => {
			try {
				return { name, ...(await check()) };
			} catch (error) {
				const { message, next } = error as { message: string; next?: string };
				const found = redact(`${errorCode(error) ?? "INTERNAL"}: ${message}`);
				return { name, status: "fail", found, ...(next !== undefined && { mend: redact(next) }) };
			}
		}),
	);
}

/** Creates or upgrades what Lode keeps on each server. Audited where there is one. @throws what the first one that fails says */
export function migrateServers(config: Config, report: (line: string) => void): Promise<Migrated[]> {
	return auditAfterwards(config)("migrate", async (tell) => {
		const migrated = await migrateEach(config, report);
		if (migrated.length > 0) await tell("done", { about: migrated.map(({ server }) => server).join(", ") });
		return migrated;
	});
}

async function migrateEach(config: Config, report: (line: string) => void): Promise<Migrated[]> {
	const servers = [...(config.temporal.address === undefined ? [] : [temporal(config)]), ...chosen(config)];
	const migrated: Migrated[] = [];
	for (const { name, migrate } of servers) {
		if (migrate === undefined) continue;
		report(`${name} …`);
		migrated.push({ server: name, done: await migrate(report) });
	}
	return migrated;
}
