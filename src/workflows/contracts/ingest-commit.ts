import { defineQuery } from "@temporalio/workflow";
import type { Failure, IngestionStats } from "../../stores/catalog/catalog.port.js";

export interface IngestCommitInput {
	readonly source: string;
	readonly commit: string;
	readonly unlessPassed?: boolean;
}

export interface IngestOutcome {
	readonly outcome: "published" | "unchanged" | "superseded";
	readonly ingestion: string;
	readonly source: string;
	readonly commit: string;
	readonly snapshot: number;
	readonly stats: IngestionStats;
	readonly workflowId: string;
	readonly runId: string;
}

export type Stage =
	| "waiting"
	| "begin"
	| "prepare"
	| "diff"
	| "files"
	| "link"
	| "verify"
	| "publish"
	| "discard"
	| "done";

export interface IngestState {
	readonly stage: Stage;
	readonly filesDone: number;
	readonly filesTotal: number;
	readonly chunks: number;
	readonly embedded: number;
	readonly reused: number;
	readonly detail: string;
	/** Why it is being discarded. */
	readonly failure?: Failure;
}

export const ingestStateQuery = defineQuery<IngestState>("progress");

/** Names one batch of an ingestion; its contents lie in the archive. */
export interface BatchRef {
	readonly seq: number;
	readonly source: string;
	readonly index: number;
	/** It was staged before, and a store does not have all of it. */
	readonly again?: true;
}

/** Batches `first` to `first + count - 1` of an ingestion. */
export interface IngestBatchesInput {
	readonly seq: number;
	readonly source: string;
	readonly first: number;
	readonly count: number;
	/** Batches below this index hold files, those from it on commits and folders. */
	readonly fileBatches: number;
	/** As BatchRef.again. */
	readonly again?: true;
	/** As PlanAnswer.together. */
	readonly together?: true;
}

export interface BatchCounts {
	readonly files: number;
	readonly failed: number;
	readonly entities: number;
	readonly chunks: number;
	readonly embedded: number;
	readonly reused: number;
}

export const NO_COUNTS: BatchCounts = { files: 0, failed: 0, entities: 0, chunks: 0, embedded: 0, reused: 0 };

export function addCounts(a: BatchCounts, b: BatchCounts): BatchCounts {
	return {
		files: a.files + b.files,
		failed: a.failed + b.failed,
		entities: a.entities + b.entities,
		chunks: a.chunks + b.chunks,
		embedded: a.embedded + b.embedded,
		reused: a.reused + b.reused,
	};
}
