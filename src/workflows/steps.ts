import { type LocalActivityOptions, proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type { BatchActivities, FinishingActivities } from "../activities/activity-types.js";
import type { BatchRef } from "./contracts/ingest-commit.js";
import { endTogether } from "./end-together.js";
import { localFirst } from "./local-first.js";
import { LOCAL, LOCAL_OUTSIDE, LONG_STORE_WRITE, PURE, RATE_LIMITED, STORE_WRITE } from "./retry-profiles.js";

type Batch<K extends keyof BatchActivities> = (batch: BatchRef, summary?: string) => ReturnType<BatchActivities[K]>;
type Finish<K extends keyof FinishingActivities> = (seq: number) => ReturnType<FinishingActivities[K]>;

type Task = () => Promise<unknown>;
type Results<T extends readonly Task[]> = { -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> };

/** What follows the plan of an ingestion, a batch or the whole change set a call. */
export type Steps = { readonly [K in keyof BatchActivities]: Batch<K> } & {
	readonly [K in keyof FinishingActivities]: Finish<K>;
} & {
	/** Batches in flight at once: one mines while another embeds and a third is written. */
	readonly batchesAtOnce: number;
	/** Steps that need nothing of each other. Returns or throws when none of them runs. */
	all<const T extends readonly Task[]>(tasks: T): Promise<Results<T>>;
};

const mining = proxyActivities<Pick<BatchActivities, "mineBatch">>(PURE);
const embedding = proxyActivities<Pick<BatchActivities, "embedBatch">>(RATE_LIMITED);
const staging = proxyActivities<Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch">>(STORE_WRITE);
/** One call each for the whole change set, a repository that comes for the first time included. */
const finishing = proxyActivities<FinishingActivities>(LONG_STORE_WRITE);
const local = proxyLocalActivities<BatchActivities & FinishingActivities>(LOCAL);

/** Each an activity of its own: noticed by its heartbeat where its worker dies, and taken by whichever worker is free. */
export const ACTIVITIES: Steps = {
	batchesAtOnce: 4,
	all: <const T extends readonly Task[]>(tasks: T) =>
		endTogether(() => tasks.map((task) => task())) as Promise<unknown[]> as Promise<Results<T>>,
	mineBatch: (batch, summary) => mining.mineBatch.executeWithOptions({ ...PURE, summary }, [batch]),
	embedBatch: (batch, summary) => embedding.embedBatch.executeWithOptions({ ...RATE_LIMITED, summary }, [batch]),
	stageGraph: (batch, summary) => staging.stageGraph.executeWithOptions({ ...STORE_WRITE, summary }, [batch]),
	stageVectors: (batch, summary) => staging.stageVectors.executeWithOptions({ ...STORE_WRITE, summary }, [batch]),
	recordBatch: (batch) => staging.recordBatch(batch),
	linkNames: (seq) => finishing.linkNames(seq),
	stageManifest: (seq) => finishing.stageManifest(seq),
	verifyStaged: (seq) => finishing.verifyStaged(seq),
};

/**
 * For a change set of milliseconds: local activities, which cost no task of their own and no transaction of the server. What does not succeed
 * at once there, and soon, goes on as an activity: a store that is away for days, or a provider that asks for patience, must not fill the history,
 * and is something to see in `lode status`, and to cancel.
 *
 * One after the other: what local activities answer while a task runs comes one by one, and all at once where the task is replayed. With several
 * under way the commands that follow could then have another order than in the history, and the workflow could never go on.
 */
export const LOCAL_FIRST: Steps = {
	batchesAtOnce: 1,
	async all<const T extends readonly Task[]>(tasks: T) {
		const results: unknown[] = [];
		for (const task of tasks) results.push(await task());
		return results as Results<T>;
	},
	mineBatch: batchStep(local.mineBatch, ACTIVITIES.mineBatch),
	embedBatch: batchStep(local.embedBatch, ACTIVITIES.embedBatch, LOCAL_OUTSIDE),
	stageGraph: batchStep(local.stageGraph, ACTIVITIES.stageGraph),
	stageVectors: batchStep(local.stageVectors, ACTIVITIES.stageVectors),
	recordBatch: batchStep(local.recordBatch, ACTIVITIES.recordBatch),
	linkNames: finishStep(local.linkNames, ACTIVITIES.linkNames),
	stageManifest: finishStep(local.stageManifest, ACTIVITIES.stageManifest),
	verifyStaged: finishStep(local.verifyStaged, ACTIVITIES.verifyStaged),
};

function batchStep<T>(
	here: { executeWithOptions(options: LocalActivityOptions, args: [BatchRef]): Promise<T> },
	activity: (batch: BatchRef, summary?: string) => Promise<T>,
	options = LOCAL,
): (batch: BatchRef, summary?: string) => Promise<T> {
	return (batch, summary) =>
		localFirst(
			() => here.executeWithOptions({ ...options, summary }, [batch]),
			() => activity(batch, summary),
		);
}

function finishStep<T>(here: (seq: number) => Promise<T>, activity: (seq: number) => Promise<T>) {
	return (seq: number) =>
		localFirst(
			() => here(seq),
			() => activity(seq),
		);
}
