import type { FilterValue } from "weaviate-client";
import { NO_MODEL } from "../../../domain/mined-file.js";
import { insertObjects } from "./insert-objects.js";
import { markId } from "./mark-ids.js";
import type { ModelCollection } from "./weaviate-collections.js";
import { requireTime, type WeaviateConnection } from "./weaviate-connection.js";

/** The last two marks are RemovalMark's. */
const FIRST_CLOSING = 2;
/** Ids decide which shard an object lies in: of so many a shard, each of up to a hundred shards has one but once in many thousand collections. */
const CLOSING_A_SHARD = 16;

/**
 * The index of a collection's vectors. It has a log of its own, and after a crash may hold less than the objects: of a batch, Weaviate (1.35) flushes that
 * log before the batch's vectors are in it, and acknowledges the batch all the same.
 */
export class VectorIndex {
	constructor(private readonly connection: WeaviateConnection) {}

	/**
	 * Ends when the log has all vectors of what was inserted before: each batch flushes it first, also what earlier ones left there, and also one that
	 * changes nothing. Returns how many requests it took, one where none is needed.
	 */
	async close(model: ModelCollection, deadline?: number): Promise<number> {
		if (!isSearched(model)) return 1;
		let requests = 0;
		const marks = Array.from({ length: model.shards === 1 ? 1 : model.shards * CLOSING_A_SHARD }, (_, n) => ({
			id: markId(FIRST_CLOSING + n),
			properties: { content: "closing" },
		}));
		await this.connection.request(
			"store vectors",
			async () => {
				requests += 1;
				requireTime("store vectors", deadline);
				// One by one, see insertObjects.
				const answers = await Promise.all(marks.map((mark) => insertObjects(model.collection, [mark])));
				const [failed] = answers.flatMap((errors) => Object.values(errors));
				if (failed !== undefined) throw new Error(failed.message);
			},
			deadline,
		);
		return requests;
	}

	/**
	 * The chunks of `ids` that a search can find. `filters` lets these pass and at most `limit` chunks in all, which has to be below `EXACT_UP_TO`: then
	 * Weaviate compares the vectors of those that are in the index, one by one.
	 */
	async holding(
		model: ModelCollection,
		filters: FilterValue,
		ids: readonly string[],
		limit: number,
	): Promise<ReadonlySet<string>> {
		if (ids.length === 0 || !isSearched(model)) return new Set(ids);
		const { collection, dimensions } = model;
		// Whichever it is, all of them are asked for.
		const vector = new Float32Array(dimensions).fill(1 / Math.sqrt(dimensions));
		const found = await this.connection.search("look for vectors", (searches) =>
			searches.nearest({ collection: collection.name, filters, limit, vector }),
		);
		return new Set(found.map(({ uuid }) => uuid));
	}

	/** Of these ids, the chunks that a search can find. */
	holdingOf(model: ModelCollection, ids: readonly string[]): Promise<ReadonlySet<string>> {
		// A server that was killed may give one twice, see ChunkReader.
		return this.holding(model, model.collection.filter.byId().containsAny([...ids]), ids, ids.length * 2);
	}

	/** With asynchronous indexing a vector may be acknowledged, in a queue on disk, and not yet be found. */
	async waiting({ collection }: ModelCollection): Promise<number> {
		const nodes = await this.connection.request("ask what waits for the index", (client) =>
			client.cluster.nodes({ collection: collection.name, output: "verbose" }),
		);
		return nodes
			.flatMap((node) => node.shards ?? [])
			.reduce((sum, shard) => sum + ((shard as { vectorQueueLength?: number }).vectorQueueLength ?? 0), 0);
	}

	/** Whoever asks before a publication has to wait. @throws STORE_UNAVAILABLE */
	async awaitAll(model: ModelCollection): Promise<void> {
		await this.connection.request("wait for the index", async () => {
			const waiting = await this.waiting(model);
			// "503" makes it a passing fault: asked again a few times here, then by the activity.
			if (waiting > 0) throw new Error(`503: ${waiting} vectors wait to be indexed`);
		});
	}
}

/** What commits say is found by its text alone. */
const isSearched = ({ model }: ModelCollection): boolean => model !== NO_MODEL;
