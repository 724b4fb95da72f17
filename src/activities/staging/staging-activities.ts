import { Context } from "@temporalio/activity";
import { EMPTY_TALLY, tallyOf } from "../../domain/digest.js";
import { graphRecordDigest } from "../../domain/entities.js";
import { groupSelector } from "../../domain/group-filter.js";
import { type ChunkRecord, chunkRecordDigest } from "../../domain/mined-file.js";
import { embedTexts } from "../../embeddings/embed-texts.js";
import type { OriginEntry } from "../../stores/catalog/catalog.port.js";
import type { BatchActivities, CompensationActivities } from "../activity-types.js";
import { type BatchReader, chunkRecords, type OriginRecords } from "../batch-records.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";
import type { Discards } from "./discards.js";
import type { WritePermits } from "./write-permits.js";

/** Writes of a batch to the graph, the vectors and the manifest in the catalog. Each is idempotent by (seq, origin). */
export function createStagingActivities(
	ports: Pick<Ports, "catalog" | "graph" | "vectors" | "artifacts" | "embeddingCache" | "provider">,
	reader: BatchReader,
	permits: Pick<WritePermits, "permit">,
	discards: Discards,
): Pick<BatchActivities, "stageGraph" | "stageVectors" | "recordBatch"> & CompensationActivities {
	const { catalog, graph, vectors } = ports;

	/** Gives the chunk records of an origin in every group, with everything that the groups decide looked up once. */
	async function chunkReader(seq: number, source: string) {
		const { groups } = await openIngestion(catalog, seq);
		const { cancellationSignal: signal } = Context.current();
		const readers = groups.map((group) => {
			const selects = groupSelector(group);
			const place = { source, group: group.name, model: group.indexing.model };
			const embed = async (texts: readonly { hash: string; text: string }[]) =>
				(await embedTexts(await ports.provider(place.model), ports.embeddingCache, texts, { signal })).vectors;
			return async ({ origin, file }: OriginRecords): Promise<ChunkRecord[]> => {
				if (!file || !selects(file.mined.path)) return [];
				const mined = file.minedFor(group.name);
				return mined.chunks.length === 0 ? [] : chunkRecords({ origin, mined }, place, ports.embeddingCache, embed);
			};
		});
		return async (records: OriginRecords): Promise<ChunkRecord[]> =>
			(await Promise.all(readers.map((read) => read(records)))).flat();
	}

	return {
		async stageGraph({ seq, source, index }) {
			const permit = permits.permit();
			const { retired, origins } = await reader.contents(source, seq, index);
			const records = origins.flatMap((origin) => origin.graph);
			if (retired.length > 0) await graph.retire(seq, source, retired, permit.options());
			await graph.stage(seq, records, permit.options());
			return { entities: records.length };
		},

		async stageVectors({ seq, source, index }) {
			const permit = permits.permit();
			const { retired, origins } = await reader.contents(source, seq, index);
			if (retired.length > 0) await vectors.retire(seq, source, retired, permit.options());
			const records = (await Promise.all(origins.map(await chunkReader(seq, source)))).flat();
			if (records.length > 0) await vectors.stage(seq, records, permit.options());
		},

		async recordBatch({ seq, source, index }) {
			const { retired, origins } = await reader.contents(source, seq, index);
			const readChunks = await chunkReader(seq, source);
			const entries = await Promise.all(
				origins.map(async (records): Promise<OriginEntry> => {
					const chunks = await readChunks(records);
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
								...(file.minedBy && { minedBy: file.minedBy }),
								skips: file.mined.skips,
							},
						}),
					};
				}),
			);
			await catalog.recordBatch(seq, { batch: `batch-${index}`, retired, entries });
		},

		discardGraph: (seq) => discards.graph(seq),
		discardVectors: (seq) => discards.vectors(seq),
		discardArtifacts: (seq) => discards.artifacts(seq),
	};
}
