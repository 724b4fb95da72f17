import { canonicalJson } from "../../../domain/digest.js";
import { type ChunkRecord, chunkRecordDigest } from "../../../domain/mined-file.js";
import type { StoreProblem } from "../../versioned.port.js";
import { isMark } from "./removal-mark.js";
import { chunkId, type StoredChunk, storedChunk, toRecord } from "./stored-chunk.js";
import type { WeaviateCollections } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** A report longer than this helps nobody. */
const MAX_PROBLEMS = 1_000;
/** Objects of one answer. */
const PAGE = 1_000;

/** Compares every object with what it was when it was staged: content and vector, lifetime, and all that is derived from them. */
export async function checkChunks(
	connection: WeaviateConnection,
	collections: WeaviateCollections,
): Promise<StoreProblem[]> {
	const problems: StoreProblem[] = [];
	for (const { model, collection } of await collections.list()) {
		// By cursor. Not the client's iterator: version 3.14 asks for a page with every object.
		for (let after: string | undefined; ; ) {
			const { objects } = await connection.request(`check the chunks of ${model}`, () =>
				collection.query.fetchObjects({ limit: PAGE, after, includeVector: true }),
			);
			for (const { uuid, properties, vectors } of objects) {
				if (isMark(uuid)) continue;
				const stored = properties as unknown as StoredChunk;
				const record = toRecord(stored, model, vectors.default as readonly number[] | undefined);
				const problem = problemOf(uuid, stored, record);
				if (problem === undefined) continue;
				problems.push({ source: record.source, record: `${record.origin} chunk ${record.ordinal}`, problem });
				if (problems.length >= MAX_PROBLEMS) return problems;
			}
			after = objects.at(-1)?.uuid;
			if (after === undefined) break;
		}
	}
	return problems;
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
