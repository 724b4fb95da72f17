import { patched, proxyActivities } from "@temporalio/workflow";
import type { BatchActivities } from "../activities/activity-types.js";
import {
	addCounts,
	type BatchCounts,
	type BatchRef,
	type IngestBatchesInput,
	NO_COUNTS,
} from "./contracts/ingest-commit.js";
import { endTogether } from "./end-together.js";
import { outlastStores } from "./outlast-stores.js";
import { PURE, RATE_LIMITED, STORE_WRITE } from "./retry-profiles.js";

/** Batches in flight at once: one mines while another embeds and a third is written. */
const IN_FLIGHT = 4;

const mining = proxyActivities<Pick<BatchActivities, "mineBatch">>(PURE);
const embedding = proxyActivities<Pick<BatchActivities, "embedBatch">>(RATE_LIMITED);
const staging = proxyActivities<Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch">>(STORE_WRITE);

async function ingestBatch(batch: BatchRef, holdsFiles: boolean): Promise<BatchCounts> {
	const label = `batch ${batch.index + 1}`;
	if (!holdsFiles) {
		// Ingestions of an earlier Lode left what commits say out of the vector store.
		const textsToo = patched("commit-texts");
		const [{ entities }] = await endTogether(() => [
			staging.stageGraph.executeWithOptions({ ...STORE_WRITE, summary: `${label}: history and folders` }, [batch]),
			textsToo
				? staging.stageVectors.executeWithOptions({ ...STORE_WRITE, summary: `${label}: what commits say` }, [batch])
				: Promise.resolve(),
			staging.recordBatch(batch),
		]);
		return { ...NO_COUNTS, entities };
	}
	const mined = await outlastStores(() =>
		mining.mineBatch.executeWithOptions({ ...PURE, summary: `${label}: mine` }, [batch]),
	);
	const embedded =
		mined.chunks === 0
			? { embedded: 0, reused: 0 }
			: await embedding.embedBatch.executeWithOptions(
					{ ...RATE_LIMITED, summary: `${label}: embed ${mined.chunks} chunks` },
					[batch],
				);
	const [{ entities }] = await endTogether(() => [
		staging.stageGraph.executeWithOptions({ ...STORE_WRITE, summary: `${label}: graph` }, [batch]),
		staging.stageVectors.executeWithOptions({ ...STORE_WRITE, summary: `${label}: vectors` }, [batch]),
		staging.recordBatch(batch),
	]);
	return { ...mined, ...embedded, entities };
}

/**
 * Takes a range of batches through mine, embed and stage. The first failure cancels the others; it returns or throws only
 * when none of them runs any more, because a discard may follow.
 */
export async function ingestBatchRange(
	input: IngestBatchesInput,
	onBatch: (counts: BatchCounts) => void = () => {},
): Promise<BatchCounts> {
	let next = input.first;
	let total = NO_COUNTS;
	const end = input.first + input.count;
	const lane = async (): Promise<void> => {
		while (next < end) {
			const index = next++;
			const counts = await ingestBatch({ seq: input.seq, source: input.source, index }, index < input.fileBatches);
			total = addCounts(total, counts);
			onBatch(counts);
		}
	};
	await endTogether(() =>
		Array.from({ length: Math.min(IN_FLIGHT, input.count) }, () =>
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
	return ingestBatchRange(input);
}
