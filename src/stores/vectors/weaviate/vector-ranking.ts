import type { FilterValue } from "weaviate-client";
import type { KnownChunks } from "./known-chunks.js";
import type { RankedChunk } from "./text-ranking.js";
import type { ModelCollection } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

const OPERATION = "search the vectors";

/** The nearest chunks of a collection that a filter lets pass, nearest first. The score is the cosine. */
export async function rankVectors(
	{ connection, known }: { readonly connection: WeaviateConnection; readonly known: KnownChunks },
	model: ModelCollection,
	filters: FilterValue,
	vector: Float32Array,
	limit: number,
): Promise<RankedChunk[]> {
	const { collection } = model;
	const { properties } = known;
	if (properties.length === 0) {
		const found = await connection.search(OPERATION, (searches) =>
			searches.nearest({ collection: collection.name, filters, limit, vector }),
		);
		return known.ranked(
			model,
			found.map(({ uuid, distance }) => ({ id: uuid, score: cosine(distance) })),
		);
	}
	const { objects } = await connection.request(OPERATION, () =>
		collection.query.nearVector(Array.from(vector), {
			filters,
			limit,
			returnMetadata: ["distance"],
			returnProperties: [...properties] as never,
		}),
	);
	const cosines = new Map(objects.map(({ uuid, metadata }) => [uuid, cosine(metadata?.distance ?? 0)]));
	return (await known.of(model, objects)).map(({ hit }) => ({ hit, score: cosines.get(hit.id) ?? 0 }));
}

/** The distance is the negative product: of unit vectors, the cosine. */
const cosine = (distance: number): number => -distance;
