import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePorts } from "../free-ports.js";
import type { ServerDefinition } from "../server.js";

export const lakefs: ServerDefinition<"lakefs"> = {
	name: "lakefs",
	title: "lakeFS",
	programs: ["lakefs"],
	howTo:
		"put `lakefs` on PATH or into the folder that LODE_SERVER_BINARIES names (../shared/servers/unpack DIR writes it)",
	async prepare(binaries, folder) {
		const [port] = (await freePorts(1)) as [number];
		const endpoint = `http://127.0.0.1:${port}`;
		const accessKeyId = `AKIA${randomBytes(8).toString("hex").toUpperCase()}`;
		const secretAccessKey = randomBytes(20).toString("hex");
		return {
			addresses: { endpoint, accessKeyId, secretAccessKey },
			processes: [
				{
					name: "lakefs",
					command: binaries.lakefs as string,
					args: ["run"],
					env: {
						HOME: folder,
						LAKEFS_DATABASE_TYPE: "local",
						LAKEFS_DATABASE_LOCAL_PATH: join(folder, "kv"),
						LAKEFS_BLOCKSTORE_TYPE: "local",
						LAKEFS_BLOCKSTORE_LOCAL_PATH: join(folder, "data"),
						LAKEFS_AUTH_ENCRYPT_SECRET_KEY: randomBytes(16).toString("hex"),
						LAKEFS_STATS_ENABLED: "false",
						LAKEFS_LISTEN_ADDRESS: `127.0.0.1:${port}`,
						LAKEFS_INSTALLATION_USER_NAME: "admin",
						LAKEFS_INSTALLATION_ACCESS_KEY_ID: accessKeyId,
						LAKEFS_INSTALLATION_SECRET_ACCESS_KEY: secretAccessKey,
						LAKEFS_LOGGING_LEVEL: "WARN",
						// It remembers a repository that was deleted for so long: five seconds by default, which tests would wait for.
						LAKEFS_GRAVELER_REPOSITORY_CACHE_EXPIRY: "300ms",
						LAKEFS_GRAVELER_REPOSITORY_CACHE_JITTER: "50ms",
					},
				},
			],
			async ready() {
				const authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString("base64")}`;
				const response = await fetch(`${endpoint}/api/v1/repositories`, {
					headers: { authorization },
					signal: AbortSignal.timeout(2_000),
				});
				return response.ok;
			},
		};
	},
};
