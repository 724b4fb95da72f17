import type { Change, FileEntry } from "../domain/commits.js";
import { LodeError } from "../domain/errors.js";
import { commitOrigin, fileOrigin, folderOrigin } from "../domain/keys.js";
import { type ChunkRecord, chunkTextHash, type MinedFile } from "../domain/mined-file.js";
import { packOf, type RecordPack } from "../domain/record-pack.js";
import { commitRecords } from "../mining/commits/commit-records.js";
import { commitText } from "../mining/commits/commit-text.js";
import { folderRecords } from "../mining/file-states.js";
import { decodeMinedFile, packedStates } from "../mining/mined-file-codec.js";
import type { ArtifactStore } from "../stores/artifacts/artifacts.port.js";
import type { BatchRef } from "../workflows/contracts/ingest-commit.js";
import { type Batch, BatchArchive, type MinedBatch, retiredFileOrigins } from "./batches.js";

export interface OriginRecords {
	readonly origin: string;
	readonly graph: RecordPack;
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

/** A chunk's text by its hash, in the order of the chunks. */
export interface ChunkText {
	readonly hash: string;
	readonly text: string;
}
const chunkTextsOf = new WeakMap<MinedFile, readonly ChunkText[]>();

export function chunkTexts(mined: MinedFile): readonly ChunkText[] {
	const known = chunkTextsOf.get(mined);
	if (known !== undefined) return known;
	const texts = mined.chunks.map(({ text }) => ({ hash: chunkTextHash(text), text }));
	chunkTextsOf.set(mined, texts);
	return texts;
}

export interface BatchContents {
	readonly retired: readonly string[];
	readonly origins: readonly OriginRecords[];
}

/** Batches whose contents are kept in memory: the activities of one batch follow each other closely, and a few batches are under way. */
const KEPT = 6;
/** Graph, vectors and manifest. */
const LAST_STEPS = 3;

/** Reads what a batch stages. Every activity of a batch derives its records here, so that all agree. */
export class BatchReader {
	readonly #archive: BatchArchive;
	readonly #kept = new Map<string, Promise<BatchContents>>();
	readonly #steps = new Map<string, Set<string>>();

	constructor(private readonly artifacts: ArtifactStore) {
		this.#archive = new BatchArchive(artifacts);
	}

	contents(source: string, seq: number, index: number): Promise<BatchContents> {
		const key = `${seq}/${index}`;
		const known = this.#kept.get(key);
		if (known) return known;
		const contents = this.#read(source, seq, index);
		this.#keep(key, contents);
		contents.catch(() => this.#kept.delete(key));
		return contents;
	}

	/** What was just written to the archive is not read from it again here. `mined`: by the keys that the listing has. */
	remember(
		{ seq, source, index }: BatchRef,
		changes: readonly Change[],
		listing: MinedBatch,
		mined: (key: string) => MinedFile,
	): void {
		const origins = listing.files.map((listed) => fileRecords(source, listed, mined));
		this.#keep(`${seq}/${index}`, Promise.resolve({ retired: retiredFileOrigins(changes), origins }));
	}

	/** A step of the batch is over here. After the last one its records are not needed any more. */
	done({ seq, index }: BatchRef, step: string): void {
		const key = `${seq}/${index}`;
		if (!this.#kept.has(key)) return;
		const steps = this.#steps.get(key) ?? new Set();
		steps.add(step);
		this.#steps.set(key, steps);
		if (steps.size < LAST_STEPS) return;
		this.#steps.delete(key);
		this.#kept.delete(key);
	}

	#keep(key: string, contents: Promise<BatchContents>): void {
		this.#kept.delete(key);
		this.#kept.set(key, contents);
		const oldest = this.#kept.keys().next().value;
		if (this.#kept.size <= KEPT || oldest === undefined) return;
		this.#kept.delete(oldest);
		this.#steps.delete(oldest);
	}

	async #read(source: string, seq: number, index: number): Promise<BatchContents> {
		const batch: Batch = await this.#archive.batch(seq, index);
		switch (batch.kind) {
			case "files": {
				const listing = await this.#archive.mined(seq, index);
				const origins = await Promise.all(
					listing.files.map(async (listed) => {
						const forms = new Map<string, MinedFile>();
						for (const key of [listed.mined, ...Object.values(listed.minedBy ?? {})]) {
							if (!forms.has(key)) forms.set(key, await this.#mined(key, listed.file.path));
						}
						return fileRecords(source, listed, (key) => forms.get(key) as MinedFile);
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
						graph: packOf(commitRecords(source, commit)),
						texts: commitText(source, commit),
					})),
				};
			case "folders":
				return {
					retired: [...batch.removed, ...batch.added].map(folderOrigin),
					origins: batch.added.map((path) => ({
						origin: folderOrigin(path),
						graph: packOf(folderRecords(source, path)),
					})),
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

function fileRecords(
	source: string,
	{ file: entry, mined: minedKey, minedBy }: MinedBatch["files"][number],
	form: (key: string) => MinedFile,
): OriginRecords {
	const origin = fileOrigin(entry.path);
	const mined = form(minedKey);
	const graph = packedStates(mined, source);
	const minedFor = (group: string) => {
		const key = minedBy?.[group];
		return key === undefined ? mined : form(key);
	};
	return { origin, graph, file: { entry, minedKey, mined, minedFor, ...(minedBy && { minedBy }) } };
}

/** Gives the embeddings of texts, in their order. */
export type Embedded = (texts: readonly ChunkText[]) => Promise<readonly (Float32Array | undefined)[]>;

/** The chunk records of one file. */
export async function chunkRecords(
	{ mined, origin }: { readonly origin: string; readonly mined: MinedFile },
	place: { readonly source: string; readonly group: string; readonly model: string },
	embedded: Embedded,
): Promise<ChunkRecord[]> {
	const vectors = await embedded(chunkTexts(mined));
	return mined.chunks.map((chunk, at) => {
		const vector = vectors[at];
		if (!vector) throw new LodeError("INTERNAL", `${mined.path} chunk ${chunk.ordinal} has no embedding`);
		return { ...chunk, ...place, origin, path: mined.path, language: mined.language, vector };
	});
}
