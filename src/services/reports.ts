import type { Tally } from "../domain/digest.js";
import type { Entity } from "../domain/entities.js";
import type { ChunkKind } from "../domain/mined-file.js";
import type { Failure, FileCounts, Ingestion, Source } from "../stores/catalog/catalog.port.js";
import type { EntityChange, Neighbour } from "../stores/graph/graph.port.js";
import type { StoreProblem } from "../stores/versioned.port.js";
import type { IngestState } from "../workflows/contracts/ingest-commit.js";
import type { ReindexState } from "../workflows/contracts/reindex-source.js";

/** The JSON that others rely on: the CLI prints these, API and MCP answer with them. */

export interface IngestReport {
	/** Null when `--no-wait` did not wait until it began: it waits for its turn or for a worker. */
	readonly ingestion: string | null;
	readonly source: string;
	readonly commit: string;
	/** The snapshot in which it is visible; null when `--no-wait` did not wait for it. */
	readonly snapshot: number | null;
	/** `published`: new; `unchanged`: it was the head already; `started`: not waited for. */
	readonly outcome: "published" | "unchanged" | "superseded" | "started";
	readonly files: FileCounts;
	readonly entities: number;
	readonly chunks: number;
	readonly embedded: number;
	readonly reused: number;
	readonly durationMs: number;
	readonly workflowId: string;
	/** Null as `ingestion` is. */
	readonly runId: string | null;
}

/** While it runs: asked from the workflow by a query. */
export type IngestProgress = IngestState;

/** While a re-index runs: asked from the workflow by a query. */
export type ReindexProgress = ReindexState;

export interface SearchQuery {
	readonly text: string;
	readonly source?: string;
	readonly group?: string;
	readonly kinds?: readonly ChunkKind[];
	readonly path?: string;
	readonly limit: number;
	/** A snapshot number, an ISO 8601 time, or a commit. */
	readonly at?: string;
}

export interface SearchHit {
	readonly source: string;
	readonly commit: string;
	readonly path: string;
	readonly startLine: number;
	readonly endLine: number;
	readonly kind: ChunkKind;
	readonly symbol: string | null;
	/** 0..1, comparable within one answer only. */
	readonly score: number;
	readonly text: string;
}

export interface SearchReport {
	readonly snapshot: number;
	/** The id of the embedding model that ranked; several joined by `,` where the sources' models differ. */
	readonly model: string;
	readonly tookMs: number;
	readonly hits: readonly SearchHit[];
}

export interface GraphReport {
	readonly snapshot: number;
	readonly entity: Entity;
	/** Other entities that the name may have meant. */
	readonly alternatives: readonly Entity[];
	/** Nearest first; `depth` is the distance from the entity. */
	readonly edges: readonly (Neighbour & { readonly depth: number })[];
	/** What the edges touch, by key. */
	readonly entities: Readonly<Record<string, Entity>>;
	/** An edge list was cut. */
	readonly truncated: boolean;
}

export interface SourceReport extends Source {
	readonly commit: string | null;
	readonly snapshot: number | null;
	readonly publishedAt: string | null;
	readonly model: string;
	readonly files: number;
	readonly entities: number;
	readonly chunks: number;
}

/** An activity of a running ingestion that failed and is tried again. */
export interface Waiting {
	readonly activity: string;
	/** 1 is the first. */
	readonly attempt: number;
	readonly code?: string;
	readonly message: string;
}

export interface StatusReport {
	readonly ingestions: readonly (Ingestion & {
		readonly progress?: IngestProgress;
		readonly waiting?: readonly Waiting[];
	})[];
	readonly parked: number;
	readonly temporalUi: string | null;
}

export interface VerifyReport {
	readonly ok: boolean;
	readonly snapshot: number;
	readonly stores: Readonly<Record<"catalog" | "graph" | "vectors" | "artifacts", Tally>>;
	readonly problems: readonly (StoreProblem & { readonly store: string })[];
}

export interface RebuildReport extends Omit<VerifyReport, "snapshot"> {
	readonly events: number;
	readonly sources: number;
	/** Manifest entries, of every kept version. */
	readonly entries: number;
	/** Which of the other stores were filled anew. */
	readonly restaged: readonly ("graph" | "vectors")[];
	/** Seqs that were in a store but not in the archive. */
	readonly discarded: number;
	/** The first that will be given. */
	readonly nextSeq: number;
	/** Null where nothing is published. */
	readonly snapshot: number | null;
}

export interface DiffReport {
	readonly source: string;
	readonly from: string;
	readonly to: string;
	readonly added: readonly EntityChange[];
	readonly removed: readonly EntityChange[];
	readonly changed: readonly EntityChange[];
}

export interface CollectReport {
	readonly records: Readonly<Record<string, number>>;
	readonly objects: number;
	readonly bytes: number;
	readonly horizons: Readonly<Record<string, number>>;
}

export interface RemoveReport {
	readonly source: string;
	readonly workflowId: string;
}

export interface RetryReport {
	readonly retried: readonly IngestReport[];
	readonly failed: readonly { readonly ingestion: string; readonly failure: Failure }[];
}

/** One thing that Lode needs, and how it was found. */
export interface Check {
	readonly name: string;
	readonly status: "ok" | "warn" | "fail";
	readonly found: string;
	/** What to do about it. */
	readonly mend?: string;
}

/** Whether every store answers. */
export interface ReadyReport {
	readonly ready: boolean;
	readonly stores: readonly {
		readonly name: string;
		/** Null where it answers. */
		readonly problem: string | null;
	}[];
}

export interface Migrated {
	readonly server: string;
	/** What was created or upgraded, or that nothing was needed. */
	readonly done: string;
}
