import { patched, proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type { BatchActivities, FinishingActivities } from "../activities/activity-types.js";
import { type BatchCounts, type BatchRef, NO_COUNTS } from "./contracts/ingest-commit.js";
import { endTogether } from "./end-together.js";
import { localFirst } from "./local-first.js";
import { outlastStores } from "./outlast-stores.js";
import { LOCAL, LONG_STORE_WRITE, STORE_WRITE } from "./retry-profiles.js";
import { ACTIVITIES, LOCAL_FIRST, orActivity, type Steps } from "./steps.js";

/**
 * The steps of ingestions whose plan does not say `together`: a Lode of before began them, with an activity for each store. As many promises lie between as
 * then: where one task brings the ends of several batches' steps, the order of the commands that follow depends on that, and has to be that of the history
 * (test/replay/histories/ingest-commit.lanes.json).
 */
interface StepsBefore extends Pick<Steps, "mineBatch" | "embedBatch"> {
	readonly batchesAtOnce: number;
	all<const T extends readonly Task[]>(tasks: T): Promise<Results<T>>;
	stageGraph(batch: BatchRef, summary: string): ReturnType<BatchActivities["stageGraph"]>;
	stageVectors(batch: BatchRef, summary: string): ReturnType<BatchActivities["stageVectors"]>;
	recordBatch(batch: BatchRef): Promise<void>;
	linkNames(seq: number): ReturnType<FinishingActivities["linkNames"]>;
	stageManifest(seq: number): Promise<void>;
}

type Task = () => Promise<unknown>;
type Results<T extends readonly Task[]> = { -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> };

const staging = proxyActivities<Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch">>(STORE_WRITE);
const finishing = proxyActivities<FinishingActivities>(LONG_STORE_WRITE);
const local = proxyLocalActivities<BatchActivities & FinishingActivities>(LOCAL);

export const ACTIVITIES_BEFORE: StepsBefore = {
	batchesAtOnce: 4,
	all: <const T extends readonly Task[]>(tasks: T) =>
		endTogether(() => tasks.map((task) => task())) as Promise<unknown[]> as Promise<Results<T>>,
	mineBatch: ACTIVITIES.mineBatch,
	embedBatch: ACTIVITIES.embedBatch,
	stageGraph: (batch, summary) => staging.stageGraph.executeWithOptions({ ...STORE_WRITE, summary }, [batch]),
	stageVectors: (batch, summary) => staging.stageVectors.executeWithOptions({ ...STORE_WRITE, summary }, [batch]),
	recordBatch: (batch) => staging.recordBatch(batch),
	linkNames: (seq) => finishing.linkNames(seq),
	stageManifest: (seq) => finishing.stageManifest(seq),
};

export const LOCAL_FIRST_BEFORE: StepsBefore = {
	batchesAtOnce: 1,
	async all<const T extends readonly Task[]>(tasks: T) {
		const results: unknown[] = [];
		for (const task of tasks) results.push(await task());
		return results as Results<T>;
	},
	mineBatch: LOCAL_FIRST.mineBatch,
	embedBatch: LOCAL_FIRST.embedBatch,
	stageGraph: orActivity(local.stageGraph, ACTIVITIES_BEFORE.stageGraph),
	stageVectors: orActivity(local.stageVectors, ACTIVITIES_BEFORE.stageVectors),
	recordBatch: orElse(local.recordBatch, ACTIVITIES_BEFORE.recordBatch),
	linkNames: orElse(local.linkNames, ACTIVITIES_BEFORE.linkNames),
	stageManifest: orElse(local.stageManifest, ACTIVITIES_BEFORE.stageManifest),
};

function orElse<A, T>(here: (argument: A) => Promise<T>, activity: (argument: A) => Promise<T>) {
	return (argument: A) =>
		localFirst(
			() => here(argument),
			() => activity(argument),
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
