import { type LocalActivityOptions, proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type { BatchActivities, FinishingActivities } from "../activities/activity-types.js";
import type { BatchRef } from "./contracts/ingest-commit.js";
import { endTogether } from "./end-together.js";
import { localFirst } from "./local-first.js";
import { LOCAL, LOCAL_OUTSIDE, LONG_STORE_WRITE, PURE, RATE_LIMITED, STORE_WRITE } from "./retry-profiles.js";

type Batch<K extends keyof BatchActivities> = (batch: BatchRef, summary: string) => ReturnType<BatchActivities[K]>;

/** Batches in flight at once: one mines while another embeds and a third is written. Another number needs `patched`. */
export const BATCHES_AT_ONCE = 4;

/** What follows the plan of an ingestion. Each returns or throws when nothing of it runs any more. */
export interface Steps {
	readonly mineBatch: Batch<"mineBatch">;
	readonly embedBatch: Batch<"embedBatch">;
	/** Writes all that the batches leave in the stores; returns how many entity states. */
	stageBatches(batches: readonly BatchRef[], summary: string): Promise<{ entities: number }>;
	/** What comes between the batches and the verification: names and the manifest of the whole change set. */
	link(seq: number): Promise<readonly [{ entities: number }, ...unknown[]]>;
	verifyStaged(seq: number): Promise<void>;
}

const mining = proxyActivities<Pick<BatchActivities, "mineBatch">>(PURE);
const embedding = proxyActivities<Pick<BatchActivities, "embedBatch">>(RATE_LIMITED);
const staging = proxyActivities<Pick<BatchActivities, "stageBatches">>(STORE_WRITE);
/** One call each for the whole change set, a repository that comes for the first time included. */
const finishing = proxyActivities<FinishingActivities>(LONG_STORE_WRITE);
const local = proxyLocalActivities<BatchActivities & FinishingActivities>(LOCAL);

/** Each an activity of its own: noticed by its heartbeat where its worker dies, and taken by whichever worker is free. */
export const ACTIVITIES: Steps = {
	mineBatch: (batch, summary) => mining.mineBatch.executeWithOptions({ ...PURE, summary }, [batch]),
	embedBatch: (batch, summary) => embedding.embedBatch.executeWithOptions({ ...RATE_LIMITED, summary }, [batch]),
	stageBatches: (batches, summary) => staging.stageBatches.executeWithOptions({ ...STORE_WRITE, summary }, [batches]),
	link: (seq) => endTogether(() => [finishing.linkNames(seq), finishing.stageManifest(seq)]),
	verifyStaged: (seq) => finishing.verifyStaged(seq),
};

/**
 * For a change set of milliseconds: local activities, which cost no task of their own and no transaction of the server. What does not succeed
 * at once there, and soon, goes on as an activity: a store that is away for days, or a provider that asks for patience, must not fill the history,
 * and is something to see in `lode status`, and to cancel.
 *
 * One after the other: what local activities answer while a task runs comes one by one, and all at once where the task is replayed. With several
 * under way the commands that follow could then have another order than in the history, and the workflow could never go on. What can be done side by side
 * is so within one of them.
 */
export const LOCAL_FIRST: Steps = {
	mineBatch: orActivity(local.mineBatch, ACTIVITIES.mineBatch),
	embedBatch: orActivity(local.embedBatch, ACTIVITIES.embedBatch, LOCAL_OUTSIDE),
	stageBatches: orActivity(local.stageBatches, ACTIVITIES.stageBatches),
	link: (seq) =>
		localFirst(
			async () => [await local.linkAndList(seq)] as const,
			() => ACTIVITIES.link(seq),
		),
	verifyStaged: (seq) => orActivity(local.verifyStaged, () => ACTIVITIES.verifyStaged(seq))(seq, "verify"),
};

export function orActivity<A, T>(
	here: { executeWithOptions(options: LocalActivityOptions, args: [A]): Promise<T> },
	activity: (argument: A, summary: string) => Promise<T>,
	options = LOCAL,
): (argument: A, summary: string) => Promise<T> {
	return (argument, summary) =>
		localFirst(
			() => here.executeWithOptions({ ...options, summary }, [argument]),
			() => activity(argument, summary),
		);
}
