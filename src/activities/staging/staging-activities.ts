import { Context } from "@temporalio/activity";
import { PackedRecords } from "../../domain/record-pack.js";
import type { BatchActivities, CompensationActivities } from "../activity-types.js";
import type { BatchReader } from "../batch-records.js";
import type { BatchEmbeddings } from "../embedding/batch-embeddings.js";
import type { Ports } from "../ports.js";
import type { Discards } from "./discards.js";
import { entryOf, StagedContents } from "./staged-contents.js";
import type { WritePermits } from "./write-permits.js";

/** Writes of a batch to the graph, the vectors and the manifest in the catalog. Each is idempotent by (seq, origin). */
export function createStagingActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "graph" | "vectors" | "artifacts">,
	reader: BatchReader,
	embeddings: BatchEmbeddings,
	permits: Pick<WritePermits, "permit">,
	discards: Discards,
): Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch"> & CompensationActivities {
	const { catalog, graph, vectors } = ports;
	const staged = new StagedContents(ports, reader, embeddings);

	return {
		async stageGraph(batch) {
			const permit = permits.permit();
			const { seq, source } = batch;
			const { retired, origins } = await staged.of(batch);
			const packs = origins.map((origin) => origin.graph).filter(({ count }) => count > 0);
			if (retired.length > 0) await graph.retire(seq, source, retired, permit.options());
			await graph.stage(seq, new PackedRecords(packs), permit.options());
			reader.done(batch, "graph");
			return { entities: packs.reduce((sum, { count }) => sum + count, 0) };
		},

		async stageVectors(batch) {
			const permit = permits.permit();
			const { seq, source } = batch;
			const { retired, origins } = await staged.of(batch);
			const again = batch.again === true || Context.current().info.attempt > 1;
			if (retired.length > 0) await vectors.retire(seq, source, retired, { ...permit.options(), again });
			const records = (await Promise.all(origins.map(await staged.chunkReader(batch)))).flat();
			if (records.length > 0) await vectors.stage(seq, records, { ...permit.options(), again });
			reader.done(batch, "vectors");
		},

		async recordBatch(batch) {
			const { retired, origins } = await staged.of(batch);
			const readChunks = await staged.chunkReader(batch);
			const entries = await Promise.all(origins.map(async (records) => entryOf(records, await readChunks(records))));
			await catalog.recordBatch(batch.seq, { batch: `batch-${batch.index}`, retired, entries });
			reader.done(batch, "manifest");
		},

		discardGraph: (seq) => discards.graph(seq),
		discardVectors: (seq) => discards.vectors(seq),
		discardArtifacts: (seq) => discards.artifacts(seq),
	};
}
