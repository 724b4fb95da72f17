import { expect, test } from "vitest";
import type { FilterValue } from "weaviate-client";
import { ChunkReader } from "./chunk-reader.js";
import type { StoredChunk } from "./stored-chunk.js";
import type { VectorIndex } from "./vector-index.js";
import type { ModelCollection, WeaviateCollections } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

const chunk = (id: string, slice: number) => ({
	uuid: id,
	properties: { origin: `file:${id}`, slice } as unknown as StoredChunk,
	vectors: {},
});

async function all<T>(given: AsyncIterable<T>): Promise<T[]> {
	const found: T[] = [];
	for await (const each of given) found.push(each);
	return found;
}

/** Answers as a Weaviate did that was killed while chunks were put again. */
function reading(objects: readonly ReturnType<typeof chunk>[]) {
	const asked: number[] = [];
	const connection = { request: (_: string, ask: () => unknown) => ask() } as unknown as WeaviateConnection;
	const byProperty = () => ({ greaterOrEqual: (from: number) => ({ from }), lessThan: (to: number) => ({ to }) });
	const collection = {
		filter: { byProperty },
		query: {
			fetchObjects: async ({ filters, limit }: { filters: unknown; limit: number }) => {
				const text = JSON.stringify(filters);
				const from = Number(/"from":(\d+)/.exec(text)?.[1] ?? 0);
				const to = Number(/"to":(\d+)/.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
				const found = objects.filter(({ properties: { slice } }) => slice >= from && slice < to).slice(0, limit);
				asked.push(found.length);
				return { objects: found };
			},
		},
		aggregate: { overAll: async () => ({ totalCount: objects.length }) },
	};
	const model = { model: "m", dimensions: 3, collection } as unknown as ModelCollection;
	const reader = new ChunkReader(connection, {} as WeaviateCollections, {} as VectorIndex);
	return { asked, read: () => all(reader.read(model, {} as FilterValue)) };
}

test.each([10, 3_000])("a chunk that Weaviate gives twice counts once (%i chunks)", async (count) => {
	const objects = Array.from({ length: count }, (_, at) => chunk(String(at), at));
	const { asked, read } = reading(
		[...objects, ...objects.slice(5)].sort((a, b) => a.properties.slice - b.properties.slice),
	);
	expect((await read()).map(({ id }) => id).sort()).toEqual(objects.map(({ uuid }) => uuid).sort());
	expect(asked.length).toBeGreaterThan(count > 2_000 ? 2 : 0);
});
