import { crc32 } from "node:zlib";
import { LodeError } from "../../domain/errors.js";
import { type Migration, openDatabase, type SqliteDatabase } from "../../stores/sqlite/sqlite-database.js";
import type { EmbeddingCache } from "../embedding.port.js";

export interface SqliteEmbeddingCacheOptions {
	/** The database file, e.g. `<home>/embeddings.db`. */
	readonly path: string;
	/** Milliseconds since 1970; for tests. */
	readonly now?: () => number;
}

const DAY_MS = 86_400_000;

const MIGRATIONS: readonly Migration[] = [
	{
		version: 1,
		name: "embeddings",
		sql: `
			CREATE TABLE model (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
			CREATE TABLE embedding (
				id INTEGER PRIMARY KEY,
				model_id INTEGER NOT NULL,
				hash TEXT NOT NULL,
				vector BLOB NOT NULL,
				checksum INTEGER NOT NULL,
				last_used INTEGER NOT NULL
			) STRICT;
			CREATE UNIQUE INDEX embedding_key ON embedding (model_id, hash);
			CREATE INDEX embedding_used ON embedding (last_used);
		`,
	},
];

/** Embeddings in one SQLite file. A cache: what a power cut takes is embedded again, so it need not wait for the disk. */
export function createSqliteEmbeddingCache(options: SqliteEmbeddingCacheOptions): EmbeddingCache {
	const database = openDatabase({
		path: options.path,
		role: "embedding cache",
		synchronous: "NORMAL",
		// Single rows are read, in no order.
		mapped: false,
		cacheMb: 8,
		migrations: MIGRATIONS,
	});
	return new SqliteEmbeddingCache(database, options.now ?? Date.now);
}

class SqliteEmbeddingCache implements EmbeddingCache {
	readonly #database: SqliteDatabase;
	readonly #now: () => number;

	constructor(database: SqliteDatabase, now: () => number) {
		this.#database = database;
		this.#now = now;
	}

	async get(model: string, hashes: readonly string[]): Promise<(Float32Array | undefined)[]> {
		const today = this.#today();
		const rows = this.#database
			.prepare(
				`SELECT id, hash, vector, checksum, last_used FROM embedding
				WHERE model_id = (SELECT id FROM model WHERE text = ?) AND hash IN (SELECT value FROM json_each(?))`,
			)
			.all<Row>([model, JSON.stringify(hashes)]);
		const found = new Map<string, Float32Array>();
		const stale: number[] = [];
		for (const row of rows) {
			if (row.checksum !== checksum(model, row.hash, row.vector)) continue;
			found.set(row.hash, new Float32Array(row.vector.slice().buffer));
			if (row.last_used < today) stale.push(row.id);
		}
		// Days, not moments: reading writes at most once a day and embedding.
		if (stale.length > 0) {
			this.#database.transaction(() =>
				this.#database
					.prepare("UPDATE embedding SET last_used = ? WHERE id IN (SELECT value FROM json_each(?))")
					.run([today, JSON.stringify(stale)]),
			);
		}
		return hashes.map((hash) => found.get(hash));
	}

	async put(model: string, entries: readonly { hash: string; vector: Float32Array }[]): Promise<void> {
		if (entries.length === 0) return;
		const today = this.#today();
		this.#database.transaction(() => {
			this.#database.prepare("INSERT INTO model (text) VALUES (?) ON CONFLICT DO NOTHING").run([model]);
			const id = this.#database.prepare("SELECT id FROM model WHERE text = ?").get<{ id: number }>([model])
				?.id as number;
			const insert = this.#database.prepare(
				`INSERT INTO embedding (model_id, hash, vector, checksum, last_used) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (model_id, hash) DO UPDATE
				SET vector = excluded.vector, checksum = excluded.checksum, last_used = excluded.last_used`,
			);
			for (const { hash, vector } of entries) {
				const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
				insert.run([id, hash, bytes, checksum(model, hash, bytes), today]);
			}
		});
	}

	async collect(before: string): Promise<number> {
		const time = Date.parse(before);
		if (Number.isNaN(time)) throw new LodeError("INTERNAL", "Cannot collect embeddings: the time is not ISO 8601");
		return this.#database.transaction(
			() =>
				this.#database.prepare("DELETE FROM embedding WHERE last_used < ?").run([Math.floor(time / DAY_MS)]).changes,
		);
	}

	async close(): Promise<void> {
		this.#database.close();
	}

	#today(): number {
		return Math.floor(this.#now() / DAY_MS);
	}
}

interface Row {
	readonly id: number;
	readonly hash: string;
	readonly vector: Uint8Array;
	readonly checksum: number;
	readonly last_used: number;
}

/** Over the key too: a row that moved to another key is as wrong as one with other bytes. */
const checksum = (model: string, hash: string, vector: Uint8Array): number => crc32(vector, crc32(`${model}\0${hash}`));
