import { Context } from "@temporalio/activity";
import { groupSelector } from "../../domain/group-filter.js";
import type { BatchActivities } from "../activity-types.js";
import type { BatchReader } from "../batch-records.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";
import type { BatchEmbeddings } from "./batch-embeddings.js";
import { ModelTexts } from "./model-texts.js";

/** Brings the embeddings of a batch into the cache; a text that any source had before costs nothing. */
export function createEmbeddingActivities(
	ports: Pick<Ports, "catalog" | "plugins">,
	reader: BatchReader,
	embeddings: BatchEmbeddings,
): Pick<BatchActivities, "embedBatch"> {
	return {
		async embedBatch({ seq, source, index }) {
			const { groups } = await openIngestion(ports, seq);
			const contents = await reader.contents(source, seq, index);
			const files = contents.origins.flatMap(({ file }) => file ?? []);
			const texts = new ModelTexts();
			for (const group of groups) {
				const selects = groupSelector(group);
				for (const { mined, minedFor } of files)
					if (selects(mined.path)) texts.add(group.indexing.model, minedFor(group.name));
			}
			const { cancellationSignal: signal, info } = Context.current();
			// Patience is for activities: they can be cancelled, and status tells what they wait for.
			return embeddings.embed(contents, texts, { signal, ...(info.isLocal && { retries: 0 }) });
		},
	};
}
