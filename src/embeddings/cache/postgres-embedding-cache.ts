import { crc32 } from "node:zlib";
import type { Kysely } from "kysely";
import { LodeError } from "../../domain/errors.js";
import type { PostgresDatabase } from "../../stores/postgres/postgres-database.js";
import type { PostgresComponent } from "../../stores/postgres/postgres-migrations.js";
import type { EmbeddingCache } from "../embedding.port.js";

export interface PostgresEmbeddingCacheOptions {
	/** Closed by its owner. */
	readonly database: PostgresDatabase;
	/** Milliseconds since 1970; for tests. */
	readonly now?: () => number;
}

interface Tables {
	embedding: { model: string; hash: string; vector: Buffer; checksum: number; last_used: number };
}

const DAY_MS = 86_400_000;
/** Rows of an insert: five values each, a few kilobytes of vector. */
const INSERT_ROWS = 200;

export const EMBEDDINGS_COMPONENT: PostgresComponent = {
	name: "embeddings",
	migrations: [
		{
			version: 1,
			name: "embeddings",
			sql: `
				CREATE TABLE embedding (
					model text COLLATE "C" NOT NULL,
					hash text COLLATE "C" NOT NULL,
					vector bytea NOT NULL,
					checksum bigint NOT NULL,
					last_used int NOT NULL,
					PRIMARY KEY (model, hash)
				);
				CREATE INDEX embedding_used ON embedding (last_used);
				-- Vectors are noise: trying to compress them costs time and gains nothing.
				ALTER TABLE embedding ALTER COLUMN vector SET STORAGE EXTERNAL;
			`,
		},
	],
};

/** Embeddings in Postgres: what one worker embedded, no other one embeds again. */
export function createPostgresEmbeddingCache(options: PostgresEmbeddingCacheOptions): EmbeddingCache {
	return new PostgresEmbeddingCache(options.database.use<Tables>(EMBEDDINGS_COMPONENT), options.now ?? Date.now);
}

class PostgresEmbeddingCache implements EmbeddingCache {
	readonly #kysely: Kysely<Tables>;
	readonly #now: () => number;

	constructor(kysely: Kysely<Tables>, now: () => number) {
		this.#kysely = kysely;
		this.#now = now;
	}

	async get(model: string, hashes: readonly string[]): Promise<(Float32Array | undefined)[]> {
		if (hashes.length === 0) return [];
		const today = this.#today();
		const rows = await this.#kysely
			.selectFrom("embedding")
			.selectAll()
			.where("model", "=", model)
			.where("hash", "in", [...new Set(hashes)])
			.execute();
		const found = new Map<string, Float32Array>();
		const stale: string[] = [];
		for (const { hash, vector, checksum: stored, last_used } of rows) {
			if (vector.byteLength % 4 !== 0 || stored !== checksum(model, hash, vector)) continue;
			found.set(hash, new Float32Array(new Uint8Array(vector).buffer));
			if (last_used < today) stale.push(hash);
		}
		// Days, not moments: reading writes at most once a day and embedding. In order, so that two readers cannot block each other.
		if (stale.length > 0) {
			await this.#kysely
				.updateTable("embedding")
				.set({ last_used: today })
				.where("model", "=", model)
				.where("hash", "in", stale.sort())
				.execute();
		}
		return hashes.map((hash) => found.get(hash));
	}

	async put(model: string, entries: readonly { hash: string; vector: Float32Array }[]): Promise<void> {
		const today = this.#today();
		// One row a key and statement, and in order: Postgres refuses to change a row twice in one, and two writers must not block each other.
		const byHash = new Map(entries.map((entry) => [entry.hash, entry.vector]));
		const rows = [...byHash]
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([hash, vector]) => {
				const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
				return { model, hash, vector: bytes, checksum: checksum(model, hash, bytes), last_used: today };
			});
		for (let at = 0; at < rows.length; at += INSERT_ROWS) {
			await this.#kysely
				.insertInto("embedding")
				.values(rows.slice(at, at + INSERT_ROWS))
				.onConflict((conflict) =>
					conflict.columns(["model", "hash"]).doUpdateSet((eb) => ({
						vector: eb.ref("excluded.vector"),
						checksum: eb.ref("excluded.checksum"),
						last_used: eb.ref("excluded.last_used"),
					})),
				)
				.execute();
		}
	}

	async collect(before: string): Promise<number> {
		const time = Date.parse(before);
		if (Number.isNaN(time)) throw new LodeError("INTERNAL", "Cannot collect embeddings: the time is not ISO 8601");
		const { numDeletedRows } = await this.#kysely
			.deleteFrom("embedding")
			.where("last_used", "<", Math.floor(time / DAY_MS))
			.executeTakeFirstOrThrow();
		return Number(numDeletedRows);
	}

	async close(): Promise<void> {}

	#today(): number {
		return Math.floor(this.#now() / DAY_MS);
	}
}

/** Over the key too: a row that moved to another key is as wrong as one with other bytes. */
const checksum = (model: string, hash: string, vector: Uint8Array): number => crc32(vector, crc32(`${model}\0${hash}`));
