import type { FileEntry } from "../domain/commits.js";
import type { GraphRecord } from "../domain/entities.js";
import { LodeError } from "../domain/errors.js";
import { commitOrigin, fileOrigin, folderOrigin } from "../domain/keys.js";
import { type ChunkRecord, chunkTextHash, type MinedFile } from "../domain/mined-file.js";
import type { EmbeddingCache } from "../embeddings/embedding.port.js";
import { commitRecords } from "../mining/commits/commit-records.js";
import { commitText } from "../mining/commits/commit-text.js";
import { folderRecords } from "../mining/file-states.js";
import { decodeMinedFile } from "../mining/mined-file-codec.js";
import type { ArtifactStore } from "../stores/artifacts/artifacts.port.js";
import { type Batch, BatchArchive, retiredFileOrigins } from "./batches.js";

export interface OriginRecords {
	readonly origin: string;
	readonly graph: readonly GraphRecord[];
	/** Commits only: what they say, for the vector store. */
	readonly texts?: readonly ChunkRecord[];
	/** Files only. */
	readonly file?: {
		readonly entry: FileEntry;
		readonly minedKey: string;
		readonly mined: MinedFile;
		/** By group, the keys of further mined forms: see OriginEntry. */
		readonly minedBy?: Readonly<Record<string, string>>;
		/** The form whose chunks a group takes. */
		readonly minedFor: (group: string) => MinedFile;
	};
}

export interface BatchContents {
	readonly retired: readonly string[];
	readonly origins: readonly OriginRecords[];
}

/** Batches whose contents are kept in memory: the activities of one batch follow each other closely. */
const KEPT = 8;

/** Reads what a batch stages. Every activity of a batch derives its records here, so that all agree. */
export class BatchReader {
	readonly #archive: BatchArchive;
	readonly #kept = new Map<string, Promise<BatchContents>>();

	constructor(private readonly artifacts: ArtifactStore) {
		this.#archive = new BatchArchive(artifacts);
	}

	contents(source: string, seq: number, index: number): Promise<BatchContents> {
		const key = `${seq}/${index}`;
		const known = this.#kept.get(key);
		if (known) return known;
		const contents = this.#read(source, seq, index);
		this.#kept.set(key, contents);
		contents.catch(() => this.#kept.delete(key));
		const oldest = this.#kept.keys().next().value;
		if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
		return contents;
	}

	/** Lets go of a batch before it is pushed out; call when its content is about to be written anew. */
	forget(seq: number, index: number): void {
		this.#kept.delete(`${seq}/${index}`);
	}

	async #read(source: string, seq: number, index: number): Promise<BatchContents> {
		const batch: Batch = await this.#archive.batch(seq, index);
		switch (batch.kind) {
			case "files": {
				const listing = await this.#archive.mined(seq, index);
				const origins = await Promise.all(
					listing.files.map(async ({ file, mined: minedKey, minedBy }) => {
						const mined = await this.#mined(minedKey, file.path);
						const further = new Map<string, MinedFile>();
						for (const [group, key] of Object.entries(minedBy ?? {}))
							further.set(group, await this.#mined(key, file.path));
						const minedFor = (group: string) => further.get(group) ?? mined;
						const origin = fileOrigin(file.path);
						const graph = mined.states.map((state) => ({ ...state, source, origin }));
						return { origin, graph, file: { entry: file, minedKey, mined, minedFor, ...(minedBy && { minedBy }) } };
					}),
				);
				return { retired: retiredFileOrigins(batch.changes), origins };
			}
			case "commits":
				return {
					// A commit that is staged anew (another recipe) replaces its records in the base.
					retired: [...batch.removed, ...batch.added.map((commit) => commit.sha)].map(commitOrigin),
					origins: batch.added.map((commit) => ({
						origin: commitOrigin(commit.sha),
						graph: commitRecords(source, commit),
						texts: commitText(source, commit),
					})),
				};
			case "folders":
				return {
					retired: [...batch.removed, ...batch.added].map(folderOrigin),
					origins: batch.added.map((path) => ({ origin: folderOrigin(path), graph: folderRecords(source, path) })),
				};
		}
	}

	async #mined(key: string, path: string): Promise<MinedFile> {
		const bytes = await this.artifacts.getDerived(key);
		const mined = bytes && decodeMinedFile(bytes);
		if (!mined) throw new LodeError("STORE_CORRUPT", `archive: the mined form of ${path} is missing or damaged`);
		return mined;
	}
}

/**
 * The chunk records of one file. Its embeddings come from the cache, where the embed step put them; `embed` makes again what the
 * cache lost since (it is not forced to disk), because nobody else would.
 */
export async function chunkRecords(
	file: { readonly origin: string; readonly mined: MinedFile },
	place: { readonly source: string; readonly group: string; readonly model: string },
	cache: Pick<EmbeddingCache, "get">,
	embed: (texts: readonly { hash: string; text: string }[]) => Promise<ReadonlyMap<string, Float32Array>>,
): Promise<ChunkRecord[]> {
	const { mined, origin } = file;
	const texts = mined.chunks.map(({ text }) => ({ hash: chunkTextHash(text), text }));
	const cached = await cache.get(
		place.model,
		texts.map(({ hash }) => hash),
	);
	const lost = texts.filter((_, at) => !cached[at]);
	const made = lost.length === 0 ? undefined : await embed(lost);
	return mined.chunks.map((chunk, at) => {
		const vector = cached[at] ?? made?.get(texts[at]?.hash ?? "");
		if (!vector) throw new LodeError("INTERNAL", `${mined.path} chunk ${chunk.ordinal} has no embedding`);
		return { ...chunk, ...place, origin, path: mined.path, language: mined.language, vector };
	});
}
