import { setTimeout as pause } from "node:timers/promises";
import { describe } from "vitest";
import { createS3ArtifactStore } from "../../src/stores/artifacts/s3/s3-artifacts.adapter.js";
import { s3Options } from "../support/s3-archive.js";
import { hasServer, useServer } from "../support/servers.js";
import { artifactStoreContract } from "./artifacts.contract.js";

// Real: MinIO.
describe.runIf(hasServer("minio"))("on MinIO", () => {
	artifactStoreContract("S3 artifacts", {
		create: async () => {
			const options = s3Options(await useServer("minio"));
			const store = createS3ArtifactStore(options);
			return {
				store,
				reopen: async () => createS3ArtifactStore(options),
				destroy: () => store.close(),
			};
		},
		tick: async () => {
			await pause(30);
			const time = new Date().toISOString();
			await pause(30);
			return time;
		},
	});
});
