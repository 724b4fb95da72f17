import { describe } from "vitest";
import { createPostgresEmbeddingCache } from "../../src/embeddings/cache/postgres-embedding-cache.js";
import { testPostgres } from "../support/postgres-database.js";
import { hasServer } from "../support/servers.js";
import { embeddingCacheContract } from "./embedding-cache.contract.js";

// Real: Postgres.
describe.runIf(hasServer("postgres"))("on Postgres", () => {
	embeddingCacheContract("Postgres", async () => {
		const { open, destroy } = await testPostgres();
		let time = 0;
		const openCache = () => createPostgresEmbeddingCache({ database: open(), now: () => time });
		return {
			cache: openCache(),
			setTime: (iso) => {
				time = Date.parse(iso);
			},
			reopen: async () => openCache(),
			destroy,
		};
	});
});
