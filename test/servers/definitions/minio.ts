import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePorts } from "../free-ports.js";
import type { ServerDefinition } from "../server.js";

export const minio: ServerDefinition<"minio"> = {
	name: "minio",
	title: "MinIO",
	programs: ["minio"],
	howTo: "npm run servers:install builds it where Go is installed",
	async prepare(binaries, folder) {
		const [port, console] = (await freePorts(2)) as [number, number];
		const endpoint = `http://127.0.0.1:${port}`;
		const accessKeyId = `lode${randomBytes(4).toString("hex")}`;
		const secretAccessKey = randomBytes(16).toString("hex");
		const args = ["server", join(folder, "data"), "--address", `127.0.0.1:${port}`];
		args.push("--console-address", `127.0.0.1:${console}`);
		return {
			addresses: { endpoint, accessKeyId, secretAccessKey },
			processes: [
				{
					name: "minio",
					command: binaries.minio as string,
					args,
					env: {
						MINIO_ROOT_USER: accessKeyId,
						MINIO_ROOT_PASSWORD: secretAccessKey,
						MINIO_BROWSER: "off",
						MINIO_UPDATE: "off",
						// It writes certificates and the like below its home.
						HOME: folder,
					},
				},
			],
			async ready() {
				const response = await fetch(`${endpoint}/minio/health/ready`, { signal: AbortSignal.timeout(2_000) });
				return response.ok;
			},
		};
	},
};
