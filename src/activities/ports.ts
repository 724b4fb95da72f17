import type { Client } from "@temporalio/client";
import type { FileMode } from "../domain/commits.js";
import type { ChunkSettings, MinedFile } from "../domain/mined-file.js";
import type { EmbeddingCache, EmbeddingProvider } from "../embeddings/embedding.port.js";
import type { IndexingVersions } from "../mining/indexing-versions.js";
import type { SourceAdapter } from "../sources/source.port.js";
import type { ArtifactStore } from "../stores/artifacts/artifacts.port.js";
import type { Catalog, SourceKind } from "../stores/catalog/catalog.port.js";
import type { EventStore } from "../stores/events/events.port.js";
import type { GraphStore } from "../stores/graph/graph.port.js";
import type { VectorStore } from "../stores/vectors/vectors.port.js";

export interface Stores {
	readonly catalog: Catalog;
	readonly events: EventStore;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly artifacts: ArtifactStore;
}

export interface FileToMine {
	readonly source: string;
	readonly path: string;
	readonly mode: FileMode;
	readonly bytes: Uint8Array;
}

/** Mines files, in worker threads where that pays. Never throws for what a file holds: that is a skip. */
export interface Miner {
	mine(files: readonly FileToMine[], settings: ChunkSettings, signal?: AbortSignal): Promise<MinedFile[]>;
}

/** Everything that activities work with; wiring.ts fills it. */
export interface Ports extends Stores {
	readonly sources: { of(kind: SourceKind): SourceAdapter };
	/** @throws MODEL_MISMATCH where no configured provider serves the model. */
	readonly provider: (model: string) => Promise<EmbeddingProvider>;
	readonly embeddingCache: EmbeddingCache;
	readonly miner: Miner;
	/** What of the miner are plugins; none where omitted. */
	readonly plugins?: IndexingVersions;
	readonly temporal: Pick<Client, "workflow">;
	readonly limits: ActivityLimits;
	/** @throws DISK_FULL where there is too little room to write that many bytes and still end in order. Omitted: nobody asks. */
	readonly ensureRoom?: (bytes?: number) => Promise<void>;
	/** Takes known secrets out of messages that others wrote, before they reach a history. */
	readonly redact: (text: string) => string;
}

export interface ActivityLimits {
	/** Larger files are archived, not mined. Bytes. */
	readonly maxFileBytes: number;
	/** Change sets of at most so many files need no activities of their own; 0: all do. */
	readonly smallCommitFiles: number;
	/** Garbage younger than this is kept for running readers. Seconds. */
	readonly graceSeconds: number;
	/** No request of a write to an engine that cannot refuse a closed seq leaves later than this after the write began. Milliseconds. */
	readonly writeDeadlineMs: number;
}
