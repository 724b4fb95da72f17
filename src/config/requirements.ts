import type { PROFILES } from "./server-settings.js";

type Profile = (typeof PROFILES)[number];

/** Which engine each port has, with the profile's defaults. */
export interface Engines {
	readonly catalog: "sqlite" | "postgres";
	readonly graph: "sqlite" | "dgraph";
	readonly vectors: "sqlite" | "weaviate";
	readonly artifacts: "folder" | "s3";
	readonly temporal: "embedded" | "cluster";
}

const DEFAULTS: Readonly<Record<Profile, Engines>> = {
	embedded: { catalog: "sqlite", graph: "sqlite", vectors: "sqlite", artifacts: "folder", temporal: "embedded" },
	servers: { catalog: "postgres", graph: "dgraph", vectors: "weaviate", artifacts: "s3", temporal: "cluster" },
};

interface EngineChoices extends Partial<Omit<Engines, "temporal">> {
	readonly profile: Profile;
	readonly temporal: { readonly server?: Engines["temporal"] };
}

export function enginesOf({ profile, catalog, graph, vectors, artifacts, temporal }: EngineChoices): Engines {
	const defaults = DEFAULTS[profile];
	return {
		catalog: catalog ?? defaults.catalog,
		graph: graph ?? defaults.graph,
		vectors: vectors ?? defaults.vectors,
		artifacts: artifacts ?? defaults.artifacts,
		temporal: temporal.server ?? defaults.temporal,
	};
}

/** The settings that an engine cannot do without, by environment name. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
	"catalog postgres": ["LODE_POSTGRES_URL"],
	"graph dgraph": ["LODE_DGRAPH_ADDRESS"],
	"vectors weaviate": ["LODE_WEAVIATE_URL", "LODE_WEAVIATE_GRPC_ADDRESS"],
	"artifacts s3": ["LODE_S3_ENDPOINT", "LODE_S3_ACCESS_KEY_ID", "LODE_S3_SECRET_ACCESS_KEY"],
	"temporal cluster": ["TEMPORAL_ADDRESS"],
};

/**
 * A repository may bring its own lode.config.json: it must not be able to send a secret of the user's environment to a place of its
 * choice. Each place with the secrets that go there.
 */
export const SECRETS_OF_PLACES: readonly (readonly [place: string, secret: string])[] = [
	["LODE_EMBEDDING_BASE_URL", "LODE_EMBEDDING_API_KEY"],
	["TEMPORAL_ADDRESS", "TEMPORAL_API_KEY"],
	["TEMPORAL_ADDRESS", "TEMPORAL_TLS_CLIENT_KEY_PATH"],
	["LODE_POSTGRES_URL", "LODE_POSTGRES_PASSWORD"],
	["LODE_DGRAPH_ADDRESS", "LODE_DGRAPH_TOKEN"],
	["LODE_WEAVIATE_URL", "LODE_WEAVIATE_API_KEY"],
	["LODE_WEAVIATE_GRPC_ADDRESS", "LODE_WEAVIATE_API_KEY"],
	["LODE_S3_ENDPOINT", "LODE_S3_SECRET_ACCESS_KEY"],
	["LODE_LAKEFS_ENDPOINT", "LODE_LAKEFS_SECRET_ACCESS_KEY"],
	["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"],
];

/** What the chosen engines lack: a problem a setting. `isSet` tells by environment name. */
export function missingRequirements(engines: Engines, isSet: (name: string) => boolean): string[] {
	const problems: string[] = [];
	for (const [port, engine] of Object.entries(engines)) {
		for (const name of NEEDS[`${port} ${engine}`] ?? []) {
			if (!isSet(name)) problems.push(`${name}: is needed where LODE_${port.toUpperCase()} is ${engine}`);
		}
	}
	if (isSet("LODE_LAKEFS_ENDPOINT")) {
		for (const name of ["LODE_LAKEFS_ACCESS_KEY_ID", "LODE_LAKEFS_SECRET_ACCESS_KEY"]) {
			if (!isSet(name)) problems.push(`${name}: is needed where LODE_LAKEFS_ENDPOINT is set`);
		}
	}
	if (isSet("TEMPORAL_TLS_CLIENT_CERT_PATH") !== isSet("TEMPORAL_TLS_CLIENT_KEY_PATH")) {
		problems.push("TEMPORAL_TLS_CLIENT_KEY_PATH: certificate and key are needed together");
	}
	return problems;
}
