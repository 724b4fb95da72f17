import { patched, proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type { BatchActivities, FinishingActivities } from "../activities/activity-types.js";
import { endTogether } from "./end-together.js";
import { localFirst } from "./local-first.js";
import { LOCAL, LONG_STORE_WRITE, STORE_WRITE } from "./retry-profiles.js";
import { ACTIVITIES, LOCAL_FIRST, type Steps } from "./steps.js";

const staging = proxyActivities<Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch">>(STORE_WRITE);
const finishing = proxyActivities<Pick<FinishingActivities, "linkNames" | "stageManifest">>(LONG_STORE_WRITE);
const local = proxyLocalActivities<BatchActivities & FinishingActivities>(LOCAL);

type Task = () => Promise<unknown>;

/**
 * The steps of ingestions whose plan does not say `together`: a Lode of before began them, with an activity for each store, and they go on here in that order.
 * Batches from `fileBatches` on hold no files.
 */
export function stepsBefore(fileBatches: number, locally: boolean): Steps {
	const all = locally ? oneByOne : (tasks: readonly Task[]) => endTogether(() => tasks.map((task) => task()));
	const step = <A>(here: (argument: A) => Promise<unknown>, activity: (argument: A) => Promise<unknown>) =>
		locally
			? (argument: A) =>
					localFirst(
						() => here(argument),
						() => activity(argument),
					)
			: activity;
	const stageGraph = step(local.stageGraph, staging.stageGraph);
	const stageVectors = step(local.stageVectors, staging.stageVectors);
	const recordBatch = step(local.recordBatch, staging.recordBatch);
	const linkNames = step(local.linkNames, finishing.linkNames);
	const stageManifest = step(local.stageManifest, finishing.stageManifest);
	return {
		...(locally ? LOCAL_FIRST : ACTIVITIES),
		async stageBatches(batches) {
			let entities = 0;
			for (const batch of batches) {
				// Still earlier ones left what commits say out of the vector store.
				const vectorsToo = batch.index < fileBatches || patched("commit-texts");
				const [graph] = await all([
					() => stageGraph(batch),
					async () => (vectorsToo ? stageVectors(batch) : undefined),
					() => recordBatch(batch),
				]);
				entities += (graph as { entities: number }).entities;
			}
			return { entities };
		},
		async link(seq) {
			const [links] = await all([() => linkNames(seq), () => stageManifest(seq)]);
			return links as { entities: number };
		},
	};
}

async function oneByOne(tasks: readonly Task[]): Promise<unknown[]> {
	const results: unknown[] = [];
	for (const task of tasks) results.push(await task());
	return results;
}
