import { Context } from "@temporalio/activity";
import { groupSelector } from "../../domain/group-filter.js";
import { chunkTextHash } from "../../domain/mined-file.js";
import { embedTexts } from "../../embeddings/embed-texts.js";
import type { BatchActivities } from "../activity-types.js";
import type { BatchReader } from "../batch-records.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";

/** Brings the embeddings of a batch into the cache; a text that any source had before costs nothing. */
export function createEmbeddingActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "provider" | "embeddingCache">,
	reader: BatchReader,
): Pick<BatchActivities, "embedBatch"> {
	return {
		async embedBatch({ seq, source, index }) {
			const { group } = await openIngestion(ports, seq);
			const { origins } = await reader.contents(source, seq, index);
			const selects = groupSelector(group);
			const texts = origins.flatMap(({ file }) =>
				(file && selects(file.mined.path) ? file.mined.chunks : []).map((chunk) => ({
					hash: chunkTextHash(chunk.text),
					text: chunk.text,
				})),
			);
			const context = Context.current();
			const provider = await ports.provider(group.indexing.model);
			const { embedded, reused } = await embedTexts(provider, ports.embeddingCache, texts, {
				signal: context.cancellationSignal,
			});
			return { embedded, reused };
		},
	};
}
