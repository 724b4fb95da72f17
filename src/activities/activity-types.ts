import type { Failure, FileCounts, Ingestion, IngestionStats } from "../stores/catalog/catalog.port.js";
import type { BatchCounts, BatchRef } from "../workflows/contracts/ingest-commit.js";

/** What begin tells the workflow; see Catalog.begin. `stale`: an unfinished ingestion whose workflow no longer runs. */
export type BeginAnswer =
	| {
			readonly outcome: "started";
			readonly seq: number;
			readonly ingestion: string;
			/** It goes on from an ingestion by the same recipe, and no store needs activities' time-outs: see steps.ts. Not in histories of before. */
			readonly follows?: true;
	  }
	| { readonly outcome: "unchanged" | "superseded"; readonly ingestion: Ingestion; readonly snapshot: number }
	| { readonly outcome: "busy"; readonly by: string }
	| { readonly outcome: "stale"; readonly seq: number; readonly by: string };

export interface PlanAnswer {
	/** Batches 0..fileBatches-1 hold files, then come commits and folders. */
	readonly batches: number;
	readonly fileBatches: number;
	/** So little that its steps take milliseconds, and no store needs activities' time-outs: see steps.ts. Not in histories of before. */
	readonly small?: true;
	/** What is written of a batch is one activity, and so is the end of a small change set: see steps.ts. Not in histories of before. */
	readonly together?: true;
	readonly files: Omit<FileCounts, "failed">;
}

export interface IngestionActivities {
	begin(request: {
		source: string;
		commit: string;
		workflowId: string;
		runId: string;
		unlessPassed: boolean;
	}): Promise<BeginAnswer>;
	publish(seq: number, stats: IngestionStats): Promise<{ ingestion: Ingestion; snapshot: number }>;
	abort(seq: number, failure: Failure): Promise<void>;
	release(seq: number, status: "parked" | "cancelled" | "abandoned"): Promise<void>;
	/** Commits that the ref has now and that were not published, oldest first (policy `every`), or its head alone. */
	pendingCommits(source: string, policy: "every" | "head"): Promise<string[]>;
	/** Waits for an ingestion that another run started under the same workflow id. */
	awaitIngestion(workflowId: string): Promise<void>;
}

export interface PlanningActivities {
	/** Brings the commit into Lode's home. */
	prepareCommit(seq: number): Promise<void>;
	/** Writes the change set into the archive as batches. */
	planChanges(seq: number): Promise<PlanAnswer>;
}

export interface BatchActivities {
	/** Archives and mines the batch's files; what was mined before is reused. */
	mineBatch(batch: BatchRef): Promise<Pick<BatchCounts, "files" | "failed" | "chunks">>;
	embedBatch(batch: BatchRef): Promise<Pick<BatchCounts, "embedded" | "reused">>;
	stageGraph(batch: BatchRef): Promise<{ entities: number }>;
	stageVectors(batch: BatchRef): Promise<void>;
	recordBatch(batch: BatchRef): Promise<void>;
	/** These three side by side, for each of the batches of one ingestion. */
	stageBatches(batches: readonly BatchRef[]): Promise<{ entities: number }>;
}

export interface FinishingActivities {
	/** Resolves the names whose candidates changed; returns how many link states were staged. */
	linkNames(seq: number): Promise<{ entities: number }>;
	stageManifest(seq: number): Promise<void>;
	/** These two side by side, for what is done in milliseconds. */
	linkAndList(seq: number): Promise<{ entities: number }>;
	verifyStaged(seq: number): Promise<void>;
}

/**
 * How long a write that was on its way may still arrive, in milliseconds, where the engine cannot refuse it: the discard is repeated after
 * that. Nothing where the engine refuses (and in histories of before there were others).
 */
export type DiscardAnswer = { readonly repeatAfterMs: number } | undefined;

export interface CompensationActivities {
	discardGraph(seq: number): Promise<DiscardAnswer>;
	discardVectors(seq: number): Promise<DiscardAnswer>;
	discardArtifacts(seq: number): Promise<DiscardAnswer>;
}

export interface ReindexPlan {
	/** Whether the index lacks something of what the groups say. */
	readonly pending: boolean;
	/** Of what the groups say. */
	readonly recipe: string;
	/** The seq of the last publication; null where there is none. */
	readonly head: number | null;
	/** Publications after the given one, oldest first. */
	readonly since: readonly number[];
	/** Of the head. */
	readonly files: number;
}

export interface ReindexActivities {
	planReindex(source: string, since: number | null): Promise<ReindexPlan>;
	/**
	 * Mines files of a publication as the groups say, and embeds their chunks, into the caches; what is there costs little. `after`: where the
	 * next page begins, null at the end. Null where the groups say something else by now.
	 */
	warmPage(request: {
		source: string;
		recipe: string;
		seq: number;
		added: boolean;
		after: string | null;
	}): Promise<{ after: string | null; files: number; embedded: number; reused: number } | null>;
	/** From now on the source's next ingestion switches. False where the groups say something else by now. */
	readyGroups(source: string, recipe: string): Promise<boolean>;
	/** Has the source ingest its head again in its own order, and waits for it. Null where the groups say something else by now. */
	switchIndex(source: string, recipe: string): Promise<{ ingestion: string | null; snapshot: number | null } | null>;
}

export interface MaintenanceActivities {
	listSources(): Promise<string[]>;
	/** Copies what happened since the last time into the archive. */
	archiveEvents(): Promise<{ events: number; through: number }>;
	/** Has the source's workflow look at its branch. */
	hintSource(source: string): Promise<void>;
	collectSource(source: string): Promise<{ horizon: number | null; records: Record<string, number> }>;
	collectObjects(): Promise<{ objects: number; bytes: number }>;
	markRemoved(source: string): Promise<void>;
	awaitIdle(source: string): Promise<void>;
	dropSource(source: string): Promise<void>;
	verifySnapshot(request: {
		source?: string;
		at?: string;
	}): Promise<{ ok: boolean; snapshot: number; problems: number }>;
}
