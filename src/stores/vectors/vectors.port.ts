import type { ChunkRecord, RecordKind } from "../../domain/mined-file.js";
import type { Seq, Snapshot } from "../../domain/snapshot.js";
import type { VersionedStore, WriteOptions } from "../versioned.port.js";

export interface SearchFilter {
	readonly snapshot: Snapshot;
	readonly sources?: readonly string[];
	readonly group?: string;
	/** Without it all but what commits say. These are asked for alone: `["commit"]`. */
	readonly kinds?: readonly RecordKind[];
	/** A glob over the path as picomatch reads it, `dot: true`. */
	readonly path?: string;
	readonly languages?: readonly string[];
	/** Only records of groups indexed with this model. */
	readonly model?: string;
	/** Only records that this snapshot does not know: what came after it. */
	readonly after?: Snapshot;
	/** Only records that this snapshot knows: what had come by then. */
	readonly upTo?: Snapshot;
}

/** A chunk without its vector, and the score that its ranking gave it: higher is better. */
export interface ChunkHit extends Omit<ChunkRecord, "vector"> {
	/** A row of the engine: of no use elsewhere. */
	readonly id: string;
	readonly addedAt: Seq;
	readonly score: number;
}

export interface FilePlace {
	readonly source: string;
	readonly path: string;
}

/** Chunks in full text and as vectors, in versions. One collection (or table) a model. */
export interface VectorStore extends VersionedStore {
	/** Adds records with `addedAt = seq`; one that is already there is left. @throws SEQ_CLOSED, MODEL_MISMATCH (dimensions) */
	stage(seq: Seq, records: readonly ChunkRecord[], options?: WriteOptions): Promise<void>;

	/** BM25 over text, path and symbol, identifiers split; filters apply before ranking. `text` is the user's words, not a query language. */
	searchText(text: string, filter: SearchFilter, limit: number): Promise<ChunkHit[]>;
	/** Cosine similarity in one model's vectors; filters apply before ranking. @throws MODEL_MISMATCH (dimensions) */
	searchVector(model: string, vector: Float32Array, filter: SearchFilter, limit: number): Promise<ChunkHit[]>;
	/** Chunks whose symbol is exactly this name, or ends with `.name`; ordered by (path, ordinal). */
	searchSymbol(name: string, filter: SearchFilter, limit: number): Promise<ChunkHit[]>;
	/** The first chunk that the filter lets pass of each of these files, score 0; ordered by (source, path). Files without one are left out. */
	firstChunks(filter: SearchFilter, files: readonly FilePlace[]): Promise<ChunkHit[]>;
	/** Every chunk that the filter lets pass of these files, score 0, at most `limit` of all; ordered by (source, path, ordinal, group). */
	chunksOf(filter: SearchFilter, files: readonly FilePlace[], limit: number): Promise<ChunkHit[]>;
	/** The vectors of hits, by `id`; those that are gone are left out. */
	vectorsOf(hits: readonly Pick<ChunkHit, "id" | "model">[]): Promise<ReadonlyMap<string, Float32Array>>;
	/**
	 * The cosines of hits' stored vectors of one model with a vector, by `id`; undefined where the engine takes longer to read them than it takes to
	 * make them anew with a model that is at hand.
	 */
	similarities(
		model: string,
		vector: Float32Array,
		hits: readonly Pick<ChunkHit, "id" | "model">[],
	): Promise<ReadonlyMap<string, number> | undefined>;
	/** The models that visible chunks of these filters have. */
	models(filter: SearchFilter): Promise<string[]>;
	count(filter: SearchFilter): Promise<number>;

	/** The visible records of one origin, ordered by (group, ordinal): for verification and tests. */
	records(snapshot: Snapshot, source: string, origin: string): Promise<ChunkRecord[]>;
	/** Bytes of this process's memory in which the store keeps an index, to search faster; 0 where it keeps none. */
	indexMemory(): number;
}
