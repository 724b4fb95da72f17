import { Context } from "@temporalio/activity";
import { EMPTY_TALLY, tallyOf } from "../../domain/digest.js";
import { groupSelector } from "../../domain/group-filter.js";
import { type ChunkRecord, chunkRecordDigest } from "../../domain/mined-file.js";
import { type OriginEntry, originEntryDigest } from "../../domain/origin-entry.js";
import { packTally } from "../../domain/record-pack.js";
import type { BatchRef } from "../../workflows/contracts/ingest-commit.js";
import { type BatchContents, type BatchReader, chunkRecords, type OriginRecords } from "../batch-records.js";
import type { BatchEmbeddings } from "../embedding/batch-embeddings.js";
import { type OpenIngestion, openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";

/** Batches for which it is remembered what differs: the activities of one batch follow each other closely. */
const KEPT = 8;

type ReadChunks = (records: OriginRecords) => Promise<readonly ChunkRecord[]>;

/** What of a batch is staged: every activity that stages asks here, so that all agree. */
export class StagedContents {
	/** By batch, the origins that a rebuild leaves as they are. */
	readonly #unchanged = new Map<string, Promise<ReadonlySet<string>>>();
	/** The vectors and the manifest want the same records of a batch: the same objects, so that each is digested once. */
	readonly #chunks = new WeakMap<OriginRecords, readonly ChunkRecord[]>();

	constructor(
		private readonly ports: Pick<Ports, "catalog" | "plugins">,
		private readonly reader: Pick<BatchReader, "contents">,
		private readonly embeddings: Pick<BatchEmbeddings, "of">,
	) {}

	/**
	 * A rebuild reads every origin anew, but stages only those of which something differs from the base: another group changes nothing of the
	 * files that it does not take in. @throws SEQ_CLOSED, BASE_MOVED
	 */
	async of({ seq, source, index }: BatchRef): Promise<BatchContents> {
		const open = await openIngestion(this.ports, seq);
		const contents = await this.reader.contents(source, seq, index);
		// Before the first publication of a source there is nothing that could be retired, and no store need look for it.
		if (open.ingestion.baseSeq === undefined) return { ...contents, retired: [] };
		if (!open.rebuild) return contents;
		const same = await this.#sameAsBase(open, contents, `${seq}/${index}`);
		return {
			retired: contents.retired.filter((origin) => !same.has(origin)),
			origins: contents.origins.filter(({ origin }) => !same.has(origin)),
		};
	}

	/** Gives what an origin leaves in the vector store, a file in every group, with everything that the groups decide looked up once. */
	async chunkReader({ seq, source, index }: BatchRef): Promise<ReadChunks> {
		const open = await openIngestion(this.ports, seq);
		return this.#chunkReader(open, await this.reader.contents(source, seq, index));
	}

	#sameAsBase(open: OpenIngestion, contents: BatchContents, key: string): Promise<ReadonlySet<string>> {
		const known = this.#unchanged.get(key);
		if (known) return known;
		const same = this.#compare(open, contents);
		this.#unchanged.set(key, same);
		same.catch(() => this.#unchanged.delete(key));
		const oldest = this.#unchanged.keys().next().value;
		if (this.#unchanged.size > KEPT && oldest !== undefined) this.#unchanged.delete(oldest);
		return same;
	}

	async #compare(open: OpenIngestion, contents: BatchContents): Promise<ReadonlySet<string>> {
		const { base, ingestion } = open;
		const { origins } = contents;
		const names = origins.map(({ origin }) => origin);
		const before = new Map(
			(await this.ports.catalog.entriesOf(base, ingestion.source, names)).map((entry) => [entry.origin, entry]),
		);
		const readChunks = this.#chunkReader(open, contents);
		const same = new Set<string>();
		for (const records of origins) {
			const entry = before.get(records.origin);
			if (!entry) continue;
			const now = entryOf(records, await readChunks(records));
			if (originEntryDigest(now) === originEntryDigest(entry)) same.add(records.origin);
		}
		return same;
	}

	#chunkReader({ groups, ingestion: { source } }: OpenIngestion, contents: BatchContents): ReadChunks {
		const { cancellationSignal } = Context.current();
		const readers = groups.map((group) => {
			const selects = groupSelector(group);
			const place = { source, group: group.name, model: group.indexing.model };
			const embedded = this.embeddings.of(contents, place.model, cancellationSignal);
			return async ({ origin, file }: OriginRecords): Promise<ChunkRecord[]> => {
				if (!file || !selects(file.mined.path)) return [];
				const mined = file.minedFor(group.name);
				return mined.chunks.length === 0 ? [] : chunkRecords({ origin, mined }, place, embedded);
			};
		});
		return async (records) => {
			const known = records.texts ?? this.#chunks.get(records);
			if (known) return known;
			const chunks = (await Promise.all(readers.map((read) => read(records)))).flat();
			// Of two that came at once the first counts.
			const first = this.#chunks.get(records) ?? chunks;
			this.#chunks.set(records, first);
			return first;
		};
	}
}

/** What the manifest says of an origin. */
export function entryOf({ origin, graph, file }: OriginRecords, chunks: readonly ChunkRecord[]): OriginEntry {
	return {
		origin,
		graph: packTally(graph),
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
}
