import { Secret } from "../../src/config/secret.js";
import type { S3Options } from "../../src/stores/artifacts/s3/s3-client.js";
import type { ServerAddresses } from "../servers/server.js";
import { newInstallation } from "./server-profile.js";

/** An installation of its own on a server. What is found is always renewed, so that no test waits for a time to pass. */
export function s3Options({ endpoint, accessKeyId, secretAccessKey }: ServerAddresses["minio"]): S3Options {
	return {
		endpoint,
		region: "us-east-1",
		accessKeyId,
		secretAccessKey: new Secret(secretAccessKey),
		bucketPrefix: "",
		installation: newInstallation(),
		renewAfterMs: 0,
	};
}
