import { setImmediate as nextTurn } from "node:timers/promises";
import { EMPTY_TALLY, type Tally, TallyBuilder } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import { fileOrigin } from "../../../domain/keys.js";
import { type ChunkRecord, COMMIT_KIND, chunkRecordDigest, NO_MODEL } from "../../../domain/mined-file.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { assertOpen, closeSeq, closeUpTo } from "../../sqlite/closed-seqs.js";
import { highestSeq } from "../../sqlite/highest-seq.js";
import { openDatabase, type SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { committed, snapshotParameters, visible } from "../../sqlite/visibility.js";
import type { OriginTally, StagedTally, StoreProblem } from "../../versioned.port.js";
import { onlyCommits } from "../record-kinds.js";
import type { ChunkHit, FilePlace, SearchFilter, VectorStore } from "../vectors.port.js";
import { checkVectors } from "./check.js";
import { chunkFilter } from "./chunk-filter.js";
import { type HitRow, type RecordRow, SELECT_HITS, SELECT_RECORDS, toHit, toRecord } from "./chunk-rows.js";
import { symbolTail } from "./chunk-terms.js";
import { ChunkWriter } from "./chunk-writer.js";
import { recordChange } from "./memory/change-log.js";
import { MemoryIndex } from "./memory/memory-index.js";
import { fullTextIndexOf, lifeSql, MIGRATIONS } from "./schema.js";
import { textQuery } from "./text-query.js";
import { removeUnusedNames } from "./unused-names.js";
import { loadVectorFunctions } from "./vec-functions.js";
import { floatBytes, floatsFrom, signBits } from "./vector-codec.js";

export interface SqliteVectorStoreOptions {
	/** The database file, e.g. `<home>/vectors.db`. */
	readonly path: string;
	/** See `OpenOptions` of sqlite-database. */
	readonly mapped?: boolean;
	/** What an index in memory may take, bytes; 0, the default: there is none. */
	readonly memoryBytes?: number;
}

/** The store, and what only tests and benches ask of it. */
interface SqliteVectors extends VectorStore {
	/** Resolves when the index in memory answers, or cannot. */
	ready(): Promise<void>;
}

/** Columns text, path, symbol: chosen on commit histories (test/bench/retrieval.bench.ts). */
const COLUMN_WEIGHTS = [1, 4, 2];
/**
 * How many of the roughly nearest are compared exactly, for each that is wanted and at least. By sign bits: measured in test/bench/vector-search.bench.ts. By four
 * bits: of 95 questions over 60,000 chunks of real text four times as many had 0.9998 of the nearest 300, and all of the nearest 10.
 */
const RESCORED = { bits: { each: 8, least: 2_000 }, nibbles: { each: 4, least: 500 } };
/** Sign bits of fewer dimensions tell too little apart. */
const BITS_FROM_DIMENSIONS = 128;
/**
 * Hashed features are sparse, and most of their similarities are small: of the 10 nearest, sign bits keep 3 among the first 400
 * and 6 among 4,000 (of 25,000 chunks), against all of them for clustered vectors. So these are compared exactly, all of them.
 */
const isSparse = (model: string): boolean => model.startsWith("lexical-");
/** How the vectors of a model are told apart before they are compared exactly. */
const coarseOf = ({ text, dimensions }: { readonly text: string; readonly dimensions: number }) =>
	isSparse(text) ? "nibbles" : dimensions >= BITS_FROM_DIMENSIONS ? "bits" : undefined;
const MAX_LIMIT = 10_000;
/** Rows between two turns of the event loop. */
const PAGE = 2_000;

/** Chunks, vectors and full text in one SQLite file. */
export function createSqliteVectorStore(options: SqliteVectorStoreOptions): SqliteVectors {
	// FULL: the catalog, which publishes, must never be ahead of what it publishes.
	const database = openDatabase({
		path: options.path,
		role: "vector",
		synchronous: "FULL",
		mapped: options.mapped,
		allowExtension: true,
		prepareConnection: loadVectorFunctions,
		migrations: MIGRATIONS,
	});
	return new SqliteVectorStore(database, options.memoryBytes ?? 0);
}

class SqliteVectorStore implements SqliteVectors {
	readonly capabilities = { refusesClosedSeq: true };
	readonly #database: SqliteDatabase;
	readonly #writer: ChunkWriter;
	readonly #memory: MemoryIndex;

	constructor(database: SqliteDatabase, memoryBytes: number) {
		this.#database = database;
		this.#writer = new ChunkWriter(database);
		this.#memory = new MemoryIndex(database, {
			bytes: memoryBytes,
			text: { index: fullTextIndexOf("").name, weights: COLUMN_WEIGHTS },
			coarse: coarseOf,
		});
	}

	async stage(seq: Seq, records: readonly ChunkRecord[]): Promise<void> {
		this.#writer.stage(seq, records);
	}

	async retire(seq: Seq, source: string, origins: readonly string[]): Promise<void> {
		this.#database.transaction(() => {
			assertOpen(this.#database, seq);
			const retired = this.#database
				.prepare(
					`UPDATE chunk SET removed_at = :seq, life = ${lifeSql("added_at", ":seq")}
					WHERE source_id = (SELECT id FROM name WHERE text = :source)
						AND origin_id IN (SELECT id FROM name WHERE text IN (SELECT value FROM json_each(:origins)))
						AND added_at < :seq AND removed_at IS NULL RETURNING id`,
				)
				.all<{ id: number }>({ seq, source, origins: JSON.stringify(origins) });
			recordChange(this.#database, idsOf(retired));
		});
	}

	async staged(seq: Seq, source: string, origins?: readonly string[]): Promise<StagedTally> {
		const within = origins === undefined ? "" : "AND o.text IN (SELECT value FROM json_each(:origins))";
		const parameters = { seq, source, ...(origins === undefined ? {} : { origins: JSON.stringify(origins) }) };
		const added = await this.#tally(`c.added_at = :seq AND s.text = :source ${within}`, parameters);
		const retired = await this.#tally(`c.removed_at = :seq AND s.text = :source ${within}`, parameters);
		return { added, retired };
	}

	async discard(seq: Seq): Promise<void> {
		this.#database.transaction(() => {
			closeSeq(this.#database, seq);
			const current = this.#database
				.prepare(
					`UPDATE chunk SET removed_at = NULL, life = ${lifeSql("added_at", "NULL")} WHERE removed_at = ? RETURNING id`,
				)
				.all<{ id: number }>([seq]);
			recordChange(this.#database, idsOf(current));
		});
		// Once it is closed nobody writes for the seq. Names that only it had stay until a collection: a repeat wants most of them again.
		await this.#writer.remove("added_at = :seq", { seq });
	}

	async collect(source: string, horizon: Snapshot, open: readonly Seq[]): Promise<number> {
		closeUpTo(this.#database, horizon.seq, open);
		// A unary plus lets it begin with what was removed: SQLite would go through all that the source holds.
		const { removed, emptied } = await this.#writer.remove(
			`+source_id = (SELECT id FROM name WHERE text = :source) AND ${committed("removed_at", horizon)}`,
			{ source, ...snapshotParameters(horizon) },
		);
		if (emptied) await removeUnusedNames(this.#database);
		return removed;
	}

	async dropSource(source: string): Promise<void> {
		await this.#writer.remove("source_id = (SELECT id FROM name WHERE text = :source)", { source });
		// Also where no chunk was left: names of discarded ingestions may be.
		await removeUnusedNames(this.#database);
	}

	async tally(snapshot: Snapshot, source: string): Promise<Tally> {
		return this.#tally(`${visible("c", snapshot)} AND s.text = :source`, { ...snapshotParameters(snapshot), source });
	}

	async tallies(snapshot: Snapshot, source: string, after: string | undefined, limit: number): Promise<OriginTally[]> {
		const parameters = { ...snapshotParameters(snapshot), source };
		// BINARY collation compares UTF-8 bytes: byte order.
		const origins = this.#database
			.prepare(
				`SELECT o.text AS origin FROM name o WHERE o.text > :after AND EXISTS (
					SELECT 1 FROM chunk c WHERE c.source_id = (SELECT id FROM name WHERE text = :source) AND c.origin_id = o.id AND ${visible("c", snapshot)})
				ORDER BY o.text LIMIT :limit`,
			)
			.all<{ origin: string }>({ ...parameters, after: after ?? "", limit });
		if (origins.length === 0) return [];
		const builders = new Map(origins.map(({ origin }) => [origin, new TallyBuilder()]));
		const rows = this.#database
			.prepare(
				`${SELECT_RECORDS} WHERE c.source_id = (SELECT id FROM name WHERE text = :source) AND ${visible("c", snapshot)}
					AND c.origin_id IN (SELECT id FROM name WHERE text IN (SELECT value FROM json_each(:origins)))`,
			)
			.iterate<RecordRow>({ ...parameters, origins: JSON.stringify([...builders.keys()]) });
		for (const row of rows) builders.get(row.origin ?? "")?.add(chunkRecordDigest(toRecord(row)));
		return [...builders].map(([origin, builder]) => ({ origin, tally: builder.build() }));
	}

	async highestSeq(): Promise<Seq> {
		return highestSeq(this.#database, "chunk", ["added_at", "removed_at"]);
	}

	async check(): Promise<StoreProblem[]> {
		return checkVectors(this.#database);
	}

	async searchText(text: string, filter: SearchFilter, limit: number): Promise<ChunkHit[]> {
		return this.#database.read(() => {
			const known = this.#memory.rankText(text, filter, bounded(limit));
			if (known !== undefined) return this.#hits(known);
			const sql = chunkFilter(this.#database, filter);
			const index = onlyCommits(filter) ? fullTextIndexOf(COMMIT_KIND) : fullTextIndexOf("");
			const match = sql && textQuery(this.#database, index, text);
			if (!sql || match === undefined) return [];
			// A unary plus keeps the planner from any index but the full-text one.
			const ranked = this.#database
				.prepare(
					`SELECT c.id AS id, -bm25(${index.name}, ${COLUMN_WEIGHTS.join(", ")}) AS score FROM ${index.name}
					CROSS JOIN chunk c ON c.id = ${index.name}.rowid WHERE ${index.name} MATCH :match AND ${sql.where} ORDER BY score DESC, c.id LIMIT :limit`,
				)
				.all<{ id: number; score: number }>({ ...sql.parameters, match, limit: bounded(limit) });
			return this.#hits(ranked);
		});
	}

	async searchVector(model: string, vector: Float32Array, filter: SearchFilter, limit: number): Promise<ChunkHit[]> {
		return this.#database.read(() => {
			const known = this.#database
				.prepare("SELECT id, dimensions FROM model WHERE text = ?")
				.get<{ id: number; dimensions: number }>([model]);
			const sql = chunkFilter(this.#database, filter);
			if (!known || !sql) return [];
			if (known.dimensions !== vector.length) {
				throw new LodeError(
					"MODEL_MISMATCH",
					`Cannot search the vectors of ${model}: they have ${known.dimensions} dimensions, the query has ${vector.length}`,
					{ next: "Search with the model that the group was indexed with." },
				);
			}
			const wanted = bounded(limit);
			const kind = coarseOf({ text: model, dimensions: known.dimensions });
			const { each, least } = RESCORED[kind ?? "bits"];
			const candidates = Math.max(least, wanted * each);
			const nearest = kind && this.#memory.nearest(known.id, vector, filter, candidates);
			// One pass over the narrow table: the planner would rather look rows up one by one through an index that hardly selects.
			const among = `SELECT c.id FROM chunk c NOT INDEXED WHERE c.model_id = :model AND ${sql.where}`;
			const scan =
				kind === "bits"
					? `${among} ORDER BY vec_distance_hamming(vec_bit(c.bits), vec_bit(:bits)), c.id LIMIT :candidates`
					: among;
			const ranked = this.#database
				.prepare(
					`SELECT v.id AS id, 1 - vec_distance_cosine(v.floats, :vector) AS score FROM vector v
					WHERE v.id IN (${nearest === undefined ? scan : "SELECT value FROM json_each(:nearest)"}) AND length(v.floats) = :bytes
					ORDER BY score DESC, v.id LIMIT :limit`,
				)
				.all<{ id: number; score: number }>({
					vector: floatBytes(vector),
					bytes: vector.byteLength,
					limit: wanted,
					...(nearest === undefined
						? { ...sql.parameters, model: known.id, ...(kind === "bits" ? { bits: signBits(vector), candidates } : {}) }
						: { nearest: JSON.stringify(nearest) }),
				});
			return this.#hits(ranked);
		});
	}

	async searchSymbol(name: string, filter: SearchFilter, limit: number): Promise<ChunkHit[]> {
		return this.#database.read(() => {
			const sql = chunkFilter(this.#database, filter);
			if (!sql || name === "") return [];
			return this.#database
				.prepare(
					`${SELECT_HITS} WHERE c.id IN (SELECT id FROM content WHERE symbol_tail = :tail
							AND (symbol = :name OR substr(symbol, -length(:name) - 1) = '.' || :name))
						AND ${sql.where} ORDER BY p.text, c.ordinal, s.text, g.text LIMIT :limit`,
				)
				.all<HitRow>({ ...sql.parameters, name, tail: symbolTail(name), limit: bounded(limit) })
				.map((row) => toHit(row, 1));
		});
	}

	async firstChunks(filter: SearchFilter, files: readonly FilePlace[]): Promise<ChunkHit[]> {
		return this.#database.read(() => {
			const sql = chunkFilter(this.#database, filter);
			if (!sql || files.length === 0) return [];
			const places = JSON.stringify(files.map(({ source, path }) => [source, fileOrigin(path)]));
			return this.#database
				.prepare(
					`${SELECT_HITS} WHERE c.id IN (
						SELECT id FROM (
							SELECT c.id AS id, row_number() OVER (PARTITION BY c.source_id, c.origin_id ORDER BY c.ordinal, fg.text) AS place
							FROM json_each(:places) f
							JOIN name fs ON fs.text = json_extract(f.value, '$[0]')
							JOIN name fo ON fo.text = json_extract(f.value, '$[1]')
							CROSS JOIN chunk c ON c.source_id = fs.id AND c.origin_id = fo.id
							JOIN name fg ON fg.id = c.group_id
							WHERE ${sql.where}
						) WHERE place = 1
					) ORDER BY s.text, p.text`,
				)
				.all<HitRow>({ ...sql.parameters, places })
				.map((row) => toHit(row, 0));
		});
	}

	async chunksOf(filter: SearchFilter, files: readonly FilePlace[], limit: number): Promise<ChunkHit[]> {
		return this.#database.read(() => {
			const sql = chunkFilter(this.#database, filter);
			if (!sql || files.length === 0) return [];
			const places = JSON.stringify(files.map(({ source, path }) => [source, fileOrigin(path)]));
			return this.#database
				.prepare(
					`${SELECT_HITS} WHERE c.id IN (
						SELECT c.id FROM json_each(:places) f
						JOIN name fs ON fs.text = json_extract(f.value, '$[0]')
						JOIN name fo ON fo.text = json_extract(f.value, '$[1]')
						CROSS JOIN chunk c ON c.source_id = fs.id AND c.origin_id = fo.id
						WHERE ${sql.where}
					) ORDER BY s.text, p.text, c.ordinal, g.text LIMIT :limit`,
				)
				.all<HitRow>({ ...sql.parameters, places, limit: bounded(limit) })
				.map((row) => toHit(row, 0));
		});
	}

	async vectorsOf(hits: readonly Pick<ChunkHit, "id">[]): Promise<ReadonlyMap<string, Float32Array>> {
		const rows = this.#database
			.prepare("SELECT id, floats FROM vector WHERE id IN (SELECT value FROM json_each(?))")
			.all<{ id: number; floats: Uint8Array }>([JSON.stringify(hits.map(({ id }) => Number(id)))]);
		return new Map(
			rows.flatMap(({ id, floats }) => {
				const vector = floatsFrom(floats);
				return vector === undefined ? [] : [[String(id), vector] as const];
			}),
		);
	}

	async similarities(
		model: string,
		vector: Float32Array,
		hits: readonly Pick<ChunkHit, "id" | "model">[],
	): Promise<ReadonlyMap<string, number>> {
		const ids = hits.flatMap((hit) => (hit.model === model ? [Number(hit.id)] : []));
		const rows = this.#database
			.prepare(
				`SELECT id, 1 - vec_distance_cosine(floats, :vector) AS score FROM vector
				WHERE id IN (SELECT value FROM json_each(:ids)) AND length(floats) = :bytes`,
			)
			.all<{ id: number; score: number }>({
				vector: floatBytes(vector),
				bytes: vector.byteLength,
				ids: JSON.stringify(ids),
			});
		return new Map(rows.map(({ id, score }) => [String(id), score]));
	}

	async models(filter: SearchFilter): Promise<string[]> {
		return this.#database.read(() => {
			const ids = this.#memory.models(filter);
			if (ids !== undefined) {
				return this.#database
					.prepare("SELECT text AS model FROM model WHERE id IN (SELECT value FROM json_each(?)) ORDER BY text")
					.all<{ model: string }>([JSON.stringify(ids)])
					.map((row) => row.model);
			}
			const sql = chunkFilter(this.#database, filter);
			if (!sql) return [];
			// Only what commits say is without a model: elsewhere every chunk would be looked at to find that out.
			const among = filter.kinds?.includes(COMMIT_KIND) ? "" : `m.text <> '${NO_MODEL}' AND`;
			return this.#database
				.prepare(
					`SELECT m.text AS model FROM model m WHERE ${among} EXISTS (SELECT 1 FROM ${sql.through} WHERE c.model_id = m.id AND ${sql.where})
					ORDER BY m.text`,
				)
				.all<{ model: string }>(sql.parameters)
				.map((row) => row.model);
		});
	}

	async count(filter: SearchFilter): Promise<number> {
		return this.#database.read(() => {
			const known = this.#memory.count(filter);
			if (known !== undefined) return known;
			const sql = chunkFilter(this.#database, filter);
			if (!sql) return 0;
			return (
				this.#database
					.prepare(`SELECT count(*) AS n FROM ${sql.through} WHERE ${sql.where}`)
					.get<{ n: number }>(sql.parameters)?.n ?? 0
			);
		});
	}

	async records(snapshot: Snapshot, source: string, origin: string): Promise<ChunkRecord[]> {
		return this.#database
			.prepare(
				`${SELECT_RECORDS} WHERE ${visible("c", snapshot)} AND c.source_id = (SELECT id FROM name WHERE text = :source)
					AND c.origin_id = (SELECT id FROM name WHERE text = :origin) ORDER BY g.text, c.ordinal`,
			)
			.all<RecordRow>({ ...snapshotParameters(snapshot), source, origin })
			.map(toRecord);
	}

	async clear(): Promise<void> {
		this.#writer.clear();
	}

	ready(): Promise<void> {
		return this.#memory.ready();
	}

	indexMemory(): number {
		return this.#memory.bytes;
	}

	async close(): Promise<void> {
		this.#memory.close();
		this.#database.close();
	}

	/** Loads what was ranked. Ties are put in order of place: row ids depend on the order of ingestion. */
	#hits(ranked: readonly { id: number; score: number }[]): ChunkHit[] {
		const scores = new Map(ranked.map(({ id, score }) => [id, score]));
		return this.#database
			.prepare(`${SELECT_HITS} WHERE c.id IN (SELECT value FROM json_each(?))`)
			.all<HitRow>([JSON.stringify([...scores.keys()])])
			.map((row) => toHit(row, scores.get(row.id) as number))
			.sort(byScoreThenPlace);
	}

	async #tally(where: string, parameters: Record<string, string | number>): Promise<Tally> {
		const statement = this.#database.prepare(
			`${SELECT_RECORDS} WHERE c.id > :after AND ${where} ORDER BY c.id LIMIT ${PAGE}`,
		);
		const builder = new TallyBuilder();
		let found = false;
		for (let after = 0; ; ) {
			const rows = statement.all<RecordRow>({ ...parameters, after });
			for (const row of rows) builder.add(chunkRecordDigest(toRecord(row)));
			found ||= rows.length > 0;
			const last = rows.at(-1);
			if (last === undefined || rows.length < PAGE) return found ? builder.build() : EMPTY_TALLY;
			after = last.id;
			await nextTurn();
		}
	}
}

const idsOf = (rows: readonly { readonly id: number }[]): number[] => rows.map(({ id }) => id);

const bounded = (limit: number): number => Math.max(0, Math.min(MAX_LIMIT, Math.floor(limit)));

const order = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
const byScoreThenPlace = (a: ChunkHit, b: ChunkHit): number =>
	b.score - a.score ||
	order(a.path, b.path) ||
	a.ordinal - b.ordinal ||
	order(a.source, b.source) ||
	order(a.group, b.group);
