import { type LocalActivityOptions, patched, proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type { BatchActivities, FinishingActivities } from "../activities/activity-types.js";
import { type BatchCounts, type BatchRef, NO_COUNTS } from "./contracts/ingest-commit.js";
import { endTogether } from "./end-together.js";
import { localFirst } from "./local-first.js";
import { outlastStores } from "./outlast-stores.js";
import { LOCAL, LOCAL_OUTSIDE, LONG_STORE_WRITE, PURE, RATE_LIMITED, STORE_WRITE } from "./retry-profiles.js";

/**
 * The steps of ingestions whose plan does not say `together`: a Lode of before began them, with an activity for each store. Left exactly as it was: where one task
 * brings the ends of several batches' steps, the order of the commands that follow depends on how many promises lie between, and has to be that of the history
 * (test/replay/histories/ingest-commit.lanes.json).
 */
interface StepsBefore {
	readonly batchesAtOnce: number;
	all<const T extends readonly Task[]>(tasks: T): Promise<Results<T>>;
	readonly mineBatch: Batch<"mineBatch">;
	readonly embedBatch: Batch<"embedBatch">;
	readonly stageGraph: Batch<"stageGraph">;
	readonly stageVectors: Batch<"stageVectors">;
	readonly recordBatch: Batch<"recordBatch">;
	readonly linkNames: Finish<"linkNames">;
	readonly stageManifest: Finish<"stageManifest">;
	readonly verifyStaged: Finish<"verifyStaged">;
}

type Of<K extends keyof BatchActivities> = (batch: BatchRef) => ReturnType<BatchActivities[K]>;
type Batch<K extends "mineBatch" | "embedBatch" | "stageGraph" | "stageVectors" | "recordBatch"> = (
	batch: BatchRef,
	summary?: string,
) => ReturnType<Of<K>>;
type Finish<K extends "linkNames" | "stageManifest" | "verifyStaged"> = (
	seq: number,
) => ReturnType<FinishingActivities[K]>;
type Task = () => Promise<unknown>;
type Results<T extends readonly Task[]> = { -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> };

const mining = proxyActivities<Pick<BatchActivities, "mineBatch">>(PURE);
const embedding = proxyActivities<Pick<BatchActivities, "embedBatch">>(RATE_LIMITED);
const staging = proxyActivities<Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch">>(STORE_WRITE);
const finishing = proxyActivities<FinishingActivities>(LONG_STORE_WRITE);
const local = proxyLocalActivities<BatchActivities & FinishingActivities>(LOCAL);

export const ACTIVITIES_BEFORE: StepsBefore = {
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

export const LOCAL_FIRST_BEFORE: StepsBefore = {
	batchesAtOnce: 1,
	async all<const T extends readonly Task[]>(tasks: T) {
		const results: unknown[] = [];
		for (const task of tasks) results.push(await task());
		return results as Results<T>;
	},
	mineBatch: batchStep(local.mineBatch, ACTIVITIES_BEFORE.mineBatch),
	embedBatch: batchStep(local.embedBatch, ACTIVITIES_BEFORE.embedBatch, LOCAL_OUTSIDE),
	stageGraph: batchStep(local.stageGraph, ACTIVITIES_BEFORE.stageGraph),
	stageVectors: batchStep(local.stageVectors, ACTIVITIES_BEFORE.stageVectors),
	recordBatch: batchStep(local.recordBatch, ACTIVITIES_BEFORE.recordBatch),
	linkNames: finishStep(local.linkNames, ACTIVITIES_BEFORE.linkNames),
	stageManifest: finishStep(local.stageManifest, ACTIVITIES_BEFORE.stageManifest),
	verifyStaged: finishStep(local.verifyStaged, ACTIVITIES_BEFORE.verifyStaged),
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

export async function ingestBatchBefore(
	steps: StepsBefore,
	batch: BatchRef,
	holdsFiles: boolean,
): Promise<BatchCounts> {
	const label = `batch ${batch.index + 1}`;
	if (!holdsFiles) {
		// Still earlier ones left what commits say out of the vector store.
		const textsToo = patched("commit-texts");
		const [{ entities }] = await steps.all([
			() => steps.stageGraph(batch, `${label}: history and folders`),
			async () => (textsToo ? steps.stageVectors(batch, `${label}: what commits say`) : undefined),
			() => steps.recordBatch(batch),
		]);
		return { ...NO_COUNTS, entities };
	}
	const mined = await outlastStores(() => steps.mineBatch(batch, `${label}: mine`));
	const embedded =
		mined.chunks === 0
			? { embedded: 0, reused: 0 }
			: await steps.embedBatch(batch, `${label}: embed ${mined.chunks} chunks`);
	const [{ entities }] = await steps.all([
		() => steps.stageGraph(batch, `${label}: graph`),
		() => steps.stageVectors(batch, `${label}: vectors`),
		() => steps.recordBatch(batch),
	]);
	return { ...mined, ...embedded, entities };
}
