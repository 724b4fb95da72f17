import { randomBytes } from "node:crypto";
import { hasServer, useServer } from "./servers.js";

/** The stores of the profile `servers`. */
const STORES = ["postgres", "dgraph", "weaviate", "minio"] as const;

/** Whether this machine can run the whole profile; says what is missing where it cannot. */
export function hasServerProfile(): boolean {
	// Each is asked, so that each that is missing is named.
	return STORES.map((name) => hasServer(name)).every(Boolean);
}

/** An installation of its own on the servers of the test run, as environment variables. */
export async function serverProfile(temporalAddress: string): Promise<Record<string, string>> {
	const [postgres, dgraph, weaviate, minio] = await Promise.all([
		useServer("postgres"),
		useServer("dgraph"),
		useServer("weaviate"),
		useServer("minio"),
	]);
	return {
		LODE_PROFILE: "servers",
		LODE_INSTALLATION: newInstallation(),
		TEMPORAL_ADDRESS: temporalAddress,
		...postgresEnvironment(postgres.url),
		LODE_DGRAPH_ADDRESS: dgraph.address,
		LODE_WEAVIATE_URL: weaviate.url,
		LODE_WEAVIATE_GRPC_ADDRESS: weaviate.grpcAddress,
		LODE_S3_ENDPOINT: minio.endpoint,
		LODE_S3_ACCESS_KEY_ID: minio.accessKeyId,
		LODE_S3_SECRET_ACCESS_KEY: minio.secretAccessKey,
	};
}

export const newInstallation = (): string => `t${randomBytes(6).toString("hex")}`;

/** A URL with a password, as the two settings that it belongs into. */
export function postgresEnvironment(url: string): Record<string, string> {
	const address = new URL(url);
	const password = decodeURIComponent(address.password);
	address.password = "";
	return { LODE_POSTGRES_URL: address.toString(), LODE_POSTGRES_PASSWORD: password };
}
