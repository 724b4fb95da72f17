import { LodeError } from "../../domain/errors.js";

/** A lakeFS server and the key with which Lode reads it. */
export interface LakefsOptions {
	/** `http(s)://host:port` */
	readonly endpoint: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: { reveal(): string };
}

/** @throws CONFIG_INVALID */
export function requireLakefs(options: LakefsOptions | undefined): LakefsOptions {
	if (options !== undefined) return options;
	throw new LodeError("CONFIG_INVALID", "No lakeFS server is configured here.", {
		next: "Set LODE_LAKEFS_ENDPOINT, LODE_LAKEFS_ACCESS_KEY_ID and LODE_LAKEFS_SECRET_ACCESS_KEY.",
	});
}
