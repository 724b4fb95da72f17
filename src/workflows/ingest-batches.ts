import {
	addCounts,
	type BatchCounts,
	type BatchRef,
	type IngestBatchesInput,
	NO_COUNTS,
} from "./contracts/ingest-commit.js";
import { endTogether } from "./end-together.js";
import { outlastStores } from "./outlast-stores.js";
import { ACTIVITIES, type Steps } from "./steps.js";
import { stepsBefore } from "./steps-before.js";

/** What is mined and embedded of a batch before it is staged. */
async function makeBatch(steps: Steps, batch: BatchRef, holdsFiles: boolean): Promise<BatchCounts> {
	if (!holdsFiles) return NO_COUNTS;
	const label = labelOf(batch);
	const mined = await outlastStores(() => steps.mineBatch(batch, `${label}: mine`));
	const embedded =
		mined.chunks === 0
			? { embedded: 0, reused: 0 }
			: await steps.embedBatch(batch, `${label}: embed ${mined.chunks} chunks`);
	return { ...NO_COUNTS, ...mined, ...embedded };
}

const labelOf = ({ index }: BatchRef): string => `batch ${index + 1}`;

/** A small change set: all its batches are staged at once. */
export async function ingestSmall(steps: Steps, input: IngestBatchesInput): Promise<BatchCounts> {
	const batches = Array.from({ length: input.count }, (_, at) => refOf(input, input.first + at));
	let total = NO_COUNTS;
	for (const batch of batches) {
		total = addCounts(total, await makeBatch(steps, batch, batch.index < input.fileBatches));
	}
	if (batches.length === 0) return total;
	const { entities } = await steps.stageBatches(batches, `${batches.length} batches: graph, vectors, manifest`);
	return { ...total, entities };
}

const refOf = ({ seq, source, again }: IngestBatchesInput, index: number): BatchRef => ({
	...{ seq, source, index },
	...(again && { again }),
});

/**
 * Takes a range of batches through mine, embed and stage. The first failure cancels the others; it returns or throws only
 * when none of them runs any more, because a discard may follow.
 */
export async function ingestBatchRange(
	steps: Steps,
	input: IngestBatchesInput,
	onBatch: (counts: BatchCounts) => void = () => {},
): Promise<BatchCounts> {
	let next = input.first;
	let total = NO_COUNTS;
	const end = input.first + input.count;
	const lane = async (): Promise<void> => {
		while (next < end) {
			const index = next++;
			const batch = refOf(input, index);
			const holdsFiles = index < input.fileBatches;
			const made = await makeBatch(steps, batch, holdsFiles);
			const what = holdsFiles ? "graph, vectors, manifest" : "history and folders";
			const { entities } = await steps.stageBatches([batch], `${labelOf(batch)}: ${what}`);
			const counts = { ...made, entities };
			total = addCounts(total, counts);
			onBatch(counts);
		}
	};
	await endTogether(() =>
		Array.from({ length: Math.min(steps.batchesAtOnce, input.count) }, () =>
			lane().catch((error: unknown) => {
				next = end;
				throw error;
			}),
		),
	);
	return total;
}

/** A child of an ingestion with more batches than one history should hold. */
export async function ingestBatches(input: IngestBatchesInput): Promise<BatchCounts> {
	return ingestBatchRange(input.together ? ACTIVITIES : stepsBefore(input.fileBatches, false), input);
}
