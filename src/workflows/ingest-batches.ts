import { patched } from "@temporalio/workflow";
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

async function ingestBatch(steps: Steps, batch: BatchRef, holdsFiles: boolean): Promise<BatchCounts> {
	const label = `batch ${batch.index + 1}`;
	if (!holdsFiles) {
		// Ingestions of an earlier Lode left what commits say out of the vector store.
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
			const counts = await ingestBatch(
				steps,
				{ seq: input.seq, source: input.source, index, ...(input.again && { again: input.again }) },
				index < input.fileBatches,
			);
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
	return ingestBatchRange(ACTIVITIES, input);
}
