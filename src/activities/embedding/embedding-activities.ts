import { Context } from "@temporalio/activity";
import { groupSelector } from "../../domain/group-filter.js";
import type { BatchActivities } from "../activity-types.js";
import { type BatchReader, chunkTexts } from "../batch-records.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";
import type { BatchEmbeddings } from "./batch-embeddings.js";

/** Brings the embeddings of a batch into the cache; a text that any source had before costs nothing. */
export function createEmbeddingActivities(
	ports: Pick<Ports, "catalog" | "plugins">,
	reader: BatchReader,
	embeddings: BatchEmbeddings,
): Pick<BatchActivities, "embedBatch"> {
	return {
		async embedBatch({ seq, source, index }) {
			const { group } = await openIngestion(ports, seq);
			const contents = await reader.contents(source, seq, index);
			const selects = groupSelector(group);
			const texts = contents.origins.flatMap(({ file }) =>
				file && selects(file.mined.path) ? chunkTexts(file.mined) : [],
			);
			return embeddings.embed(contents, group.indexing.model, texts, Context.current().cancellationSignal);
		},
	};
}
