import { setTimeout as sleep } from "node:timers/promises";
import { canonicalJson } from "../../../domain/digest.js";
import { type ChunkRecord, chunkRecordDigest } from "../../../domain/mined-file.js";
import { chunked } from "../../sqlite/chunked.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { ChunkReader } from "./chunk-reader.js";
import { isMark } from "./mark-ids.js";
import { chunkId, type StoredChunk, storedChunk, toRecord } from "./stored-chunk.js";
import type { VectorIndex } from "./vector-index.js";
import type { ModelCollection, WeaviateCollections } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** A report longer than this helps nobody. */
const MAX_PROBLEMS = 1_000;
/** Objects of one answer. */
const PAGE = 1_000;
/** Of a collection, chunks that are looked at once more. */
const MAX_UNFOUND = 10_000;
/** How often, and how long after it was looked last, a vector is looked for that may be on its way into the index. Milliseconds. */
const LOOKS = 5;
const PAUSE_MS = 400;

/** Compares every object with what it was when it was staged: content and vector, lifetime, and all that is derived from them; and whether its vector is found. */
export async function checkChunks(
	connection: WeaviateConnection,
	collections: WeaviateCollections,
	reader: ChunkReader,
	index: VectorIndex,
): Promise<StoreProblem[]> {
	const problems: StoreProblem[] = [];
	for (const model of await collections.list()) {
		const { collection } = model;
		const unfound = new Map<string, StoreProblem>();
		// By cursor. Not the client's iterator: version 3.14 asks for a page with every object.
		for (let after: string | undefined; ; ) {
			const { objects } = await connection.request(`check the chunks of ${model.model}`, () =>
				collection.query.fetchObjects({ limit: PAGE, after, includeVector: true }),
			);
			const chunks = objects.filter(({ uuid }) => !isMark(uuid));
			const holding = await index.holdingOf(
				model,
				chunks.map(({ uuid }) => uuid),
			);
			for (const { uuid, properties, vectors } of chunks) {
				const stored = properties as unknown as StoredChunk;
				const record = toRecord(stored, model.model, vectors.default as readonly number[] | undefined);
				const named = { source: record.source, record: `${record.origin} chunk ${record.ordinal}` };
				const problem = problemOf(uuid, stored, record);
				if (problem !== undefined) problems.push({ ...named, problem });
				else if (!holding.has(uuid) && unfound.size < MAX_UNFOUND)
					unfound.set(uuid, { ...named, problem: "its vector is not in the index" });
				if (problems.length >= MAX_PROBLEMS) return problems;
			}
			after = objects.at(-1)?.uuid;
			if (after === undefined) break;
		}
		for (const id of await stillUnfound(reader, index, model, [...unfound.keys()])) {
			problems.push(unfound.get(id) as StoreProblem);
			if (problems.length >= MAX_PROBLEMS) return problems;
		}
	}
	return problems;
}

/** Chunks that are staged meanwhile are there before their vectors are in the index. Which of many that wait for it are lost cannot be told. */
async function stillUnfound(
	reader: ChunkReader,
	index: VectorIndex,
	model: ModelCollection,
	ids: readonly string[],
): Promise<string[]> {
	let unfound = ids;
	for (let looked = 0; looked < LOOKS && unfound.length > 0; looked++) {
		await sleep(PAUSE_MS);
		const still: string[] = [];
		for (const slice of chunked(unfound, PAGE)) {
			const holding = await index.holdingOf(model, slice);
			const there = await reader.existing(model, slice);
			still.push(...slice.filter((id) => there.has(id) && !holding.has(id)));
		}
		unfound = still;
	}
	if (unfound.length === 0 || (await index.waiting(model)) > 0) return [];
	return [...unfound];
}

function problemOf(id: string, stored: StoredChunk, record: ChunkRecord): string | undefined {
	if (chunkRecordDigest(record) !== stored.digest) return "its content or vector is not the one that was staged";
	const expected = storedChunk(record, stored.addedAt, stored.removedAt);
	if (expected.life !== stored.life) return "its lifetime is not the one that was recorded";
	if (chunkId(record, stored.addedAt) !== id) return "its id is not that of its place";
	const derived = (chunk: StoredChunk) => {
		const { origin, path, language, kind, sourceKey, groupKey, originKey, pathKey, symbolKeys, slice } = chunk;
		const keys = [sourceKey, groupKey, originKey, pathKey];
		return canonicalJson([origin, path, language, kind, ...keys, [...(symbolKeys ?? [])], slice]);
	};
	if (derived(expected) !== derived(stored)) return "it is not found by the filters of its content";
	const words = ({ terms, pathTerms, symbolTerms, length }: StoredChunk) =>
		canonicalJson([terms, pathTerms, symbolTerms, length]);
	if (words(expected) !== words(stored)) return "it is not found by the words of its text";
	return undefined;
}
