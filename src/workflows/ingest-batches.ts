import {
	addCounts,
	type BatchCounts,
	type BatchRef,
	type IngestBatchesInput,
	NO_COUNTS,
} from "./contracts/ingest-commit.js";
import { endTogether } from "./end-together.js";
import { outlastStores } from "./outlast-stores.js";
import { ACTIVITIES, BATCHES_AT_ONCE, type Steps } from "./steps.js";
import { ACTIVITIES_BEFORE, ingestBatchBefore } from "./steps-before.js";

const labelOf = ({ index }: BatchRef): string => `batch ${index + 1}`;

/** What is mined and embedded of a batch of files before it is staged. */
async function makeBatch(steps: Steps, batch: BatchRef): Promise<BatchCounts> {
	const label = labelOf(batch);
	const mined = await outlastStores(() => steps.mineBatch(batch, `${label}: mine`));
	const embedded =
		mined.chunks === 0
			? { embedded: 0, reused: 0 }
			: await steps.embedBatch(batch, `${label}: embed ${mined.chunks} chunks`);
	return { ...NO_COUNTS, ...mined, ...embedded };
}

/** A batch through mine, embed and stage. */
export async function ingestBatch(steps: Steps, batch: BatchRef, holdsFiles: boolean): Promise<BatchCounts> {
	const made = holdsFiles ? await makeBatch(steps, batch) : NO_COUNTS;
	const what = holdsFiles ? "graph, vectors, manifest" : "history and folders";
	const { entities } = await steps.stageBatches([batch], `${labelOf(batch)}: ${what}`);
	return { ...made, entities };
}

/** A small change set: all its batches are staged at once. */
export async function ingestSmall(steps: Steps, input: IngestBatchesInput): Promise<BatchCounts> {
	const batches = Array.from({ length: input.count }, (_, at) => refOf(input, input.first + at));
	let total = NO_COUNTS;
	for (const batch of batches) {
		if (batch.index < input.fileBatches) total = addCounts(total, await makeBatch(steps, batch));
	}
	if (batches.length === 0) return total;
	const { entities } = await steps.stageBatches(batches, `${batches.length} batches: graph, vectors, manifest`);
	return { ...total, entities };
}

const refOf = ({ seq, source, again }: IngestBatchesInput, index: number): BatchRef => ({
	seq,
	source,
	index,
	...(again && { again }),
});

/**
 * Takes a range of batches through, `batchesAtOnce` of them side by side: one mines while another embeds and a third is written. The first failure
 * cancels the others; it returns or throws only when none of them runs any more, because a discard may follow.
 */
export async function ingestBatchRange(
	batchesAtOnce: number,
	ingest: (batch: BatchRef, holdsFiles: boolean) => Promise<BatchCounts>,
	input: IngestBatchesInput,
	onBatch: (counts: BatchCounts) => void = () => {},
): Promise<BatchCounts> {
	let next = input.first;
	let total = NO_COUNTS;
	const end = input.first + input.count;
	const lane = async (): Promise<void> => {
		while (next < end) {
			const index = next++;
			// One promise after another here: see steps-before.ts.
			const counts = await ingest(refOf(input, index), index < input.fileBatches);
			total = addCounts(total, counts);
			onBatch(counts);
		}
	};
	await endTogether(() =>
		Array.from({ length: Math.min(batchesAtOnce, input.count) }, () =>
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
	return input.together
		? ingestBatchRange(BATCHES_AT_ONCE, (...batch) => ingestBatch(ACTIVITIES, ...batch), input)
		: ingestBatchRange(
				ACTIVITIES_BEFORE.batchesAtOnce,
				(...batch) => ingestBatchBefore(ACTIVITIES_BEFORE, ...batch),
				input,
			);
}
