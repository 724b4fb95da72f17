import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { IngestOutcome } from "./ingest-commit.js";
import type { Trace } from "./traces.js";

/** A commit that somebody named: it is ingested whatever the policy says, even where it lies behind the head. */
export interface IngestRequest {
	readonly commit: string;
	/** Ends as `superseded` when the commit is an ancestor of the head by then: what retries ask for. */
	readonly unlessPassed?: boolean;
}

export interface FollowSourceInput {
	readonly source: string;
	readonly policy: "every" | "head";
	/** Carried over continue-as-new: a hint that came and was not looked at. */
	readonly refChanged?: boolean;
	/** Commits that a look at the ref found and that still wait. */
	readonly waiting?: readonly string[];
	/** Of that hint. */
	readonly trace?: Trace;
}

/** Commits that one look at the ref finds at most; when they are through, another look finds the rest. */
export const PENDING_A_LOOK = 500;

export interface FollowState {
	readonly running: string | null;
	readonly waiting: readonly string[];
}

/** Ingests one commit in the source's order and answers with what came of it. The update id is the idempotency key. */
export const ingestUpdate = defineUpdate<IngestOutcome, [IngestRequest]>("ingest");
/** A hint that the ref may have moved: what to ingest follows from its present head, so doubles and late ones do no harm. */
export const refChangedSignal = defineSignal("refChanged");
/** Ends the workflow once the running ingestion ended; requests that wait are refused. */
export const stopSignal = defineSignal("stop");
export const followStateQuery = defineQuery<FollowState>("state");
