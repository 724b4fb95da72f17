import { Context } from "@temporalio/activity";
import { EMPTY_TALLY, tallyOf } from "../../domain/digest.js";
import { graphRecordDigest } from "../../domain/entities.js";
import { groupSelector } from "../../domain/group-filter.js";
import { type ChunkRecord, chunkRecordDigest } from "../../domain/mined-file.js";
import type { OriginEntry } from "../../stores/catalog/catalog.port.js";
import type { BatchActivities, CompensationActivities } from "../activity-types.js";
import { type BatchContents, type BatchReader, chunkRecords, type OriginRecords } from "../batch-records.js";
import type { BatchEmbeddings } from "../embedding/batch-embeddings.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";
import type { Discards } from "./discards.js";
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

	/** The vectors and the manifest want the same records of a batch: the same objects, so that each is digested once. */
	const chunksOf = new WeakMap<OriginRecords, readonly ChunkRecord[]>();

	/** The chunk records of a batch's origins, in their order. */
	async function chunksOfBatch(seq: number, source: string, contents: BatchContents) {
		const { group } = await openIngestion(ports, seq);
		const selects = groupSelector(group);
		const place = { source, group: group.name, model: group.indexing.model };
		const embedded = embeddings.of(contents, place.model, Context.current().cancellationSignal);
		return Promise.all(
			contents.origins.map(async (records): Promise<readonly ChunkRecord[]> => {
				const { origin, file, texts } = records;
				if (texts) return texts;
				if (!file || file.mined.chunks.length === 0 || !selects(file.mined.path)) return [];
				const known = chunksOf.get(records);
				if (known) return known;
				const chunks = await chunkRecords({ origin, mined: file.mined }, place, embedded);
				// Of two that came at once the first counts.
				const first = chunksOf.get(records) ?? chunks;
				chunksOf.set(records, first);
				return first;
			}),
		);
	}

	return {
		async stageGraph(ref) {
			const { seq, source, index } = ref;
			const permit = permits.permit();
			const { retired, origins } = await reader.contents(source, seq, index);
			const records = origins.flatMap((origin) => origin.graph);
			if (retired.length > 0) await graph.retire(seq, source, retired, permit.options());
			await graph.stage(seq, records, permit.options());
			reader.done(ref, "graph");
			return { entities: records.length };
		},

		async stageVectors(ref) {
			const { seq, source, index } = ref;
			const permit = permits.permit();
			const contents = await reader.contents(source, seq, index);
			const { retired } = contents;
			if (retired.length > 0) await vectors.retire(seq, source, retired, permit.options());
			const records = (await chunksOfBatch(seq, source, contents)).flat();
			if (records.length > 0) await vectors.stage(seq, records, permit.options());
			reader.done(ref, "vectors");
		},

		async recordBatch(ref) {
			const { seq, source, index } = ref;
			const contents = await reader.contents(source, seq, index);
			const { retired, origins } = contents;
			const chunksByOrigin = await chunksOfBatch(seq, source, contents);
			const entries = origins.map((records, at): OriginEntry => {
				const chunks = chunksByOrigin[at] ?? [];
				const { file } = records;
				return {
					origin: records.origin,
					graph: tallyOf(records.graph.map(graphRecordDigest)),
					vectors: chunks.length === 0 ? EMPTY_TALLY : tallyOf(chunks.map(chunkRecordDigest)),
					...(file && {
						file: {
							artifact: file.mined.artifact,
							blob: file.entry.blob,
							mode: file.entry.mode,
							size: file.mined.size,
							mediaType: file.mined.mediaType,
							...(file.mined.language !== undefined && { language: file.mined.language }),
							chunks: chunks.length,
							mined: file.minedKey,
							skips: file.mined.skips,
						},
					}),
				};
			});
			await catalog.recordBatch(seq, { batch: `batch-${index}`, retired, entries });
			reader.done(ref, "manifest");
		},

		discardGraph: (seq) => discards.graph(seq),
		discardVectors: (seq) => discards.vectors(seq),
		discardArtifacts: (seq) => discards.artifacts(seq),
	};
}
