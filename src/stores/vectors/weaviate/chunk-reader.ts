import type { FilterValue } from "weaviate-client";
import { compareBytes } from "../../../domain/byte-order.js";
import { type Tally, TallyBuilder } from "../../../domain/digest.js";
import { type ChunkRecord, chunkRecordDigest } from "../../../domain/mined-file.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { chunked } from "../../sqlite/chunked.js";
import type { OriginTally, StagedTally } from "../../versioned.port.js";
import { and, distinct, visible, where } from "./chunk-filter.js";
import {
	CONTENT_PROPERTIES,
	CURRENT,
	originKey,
	SLICES,
	type StoredChunk,
	sourceKey,
	toRecord,
} from "./stored-chunk.js";
import type { VectorIndex } from "./vector-index.js";
import type { ModelCollection, WeaviateCollections } from "./weaviate-collections.js";
import type { WeaviateConnection } from "./weaviate-connection.js";

/** Objects of one answer that is read: a few megabytes. An answer that is full is asked for again in halves. */
const PAGE = 2_000;
/** Origins of one question. */
const ORIGINS = 500;

export interface FoundChunk {
	readonly id: string;
	readonly properties: StoredChunk;
	readonly vector: readonly number[] | undefined;
}

/** Reads stored chunks, always through filters, as searches do. */
export class ChunkReader {
	constructor(
		private readonly connection: WeaviateConnection,
		private readonly collections: WeaviateCollections,
		private readonly index: VectorIndex,
	) {}

	/** A chunk that the index of vectors does not hold is not there. */
	async staged(seq: Seq, source: string, origins: readonly string[] | undefined): Promise<StagedTally> {
		const [added, retired] = [new TallyBuilder(), new TallyBuilder()];
		for (const model of await this.collections.list()) {
			await this.index.awaitAll(model);
			const scopes =
				origins === undefined
					? [where(model, "sourceKey").equal(sourceKey(source))]
					: chunked([...new Set(origins)], ORIGINS).map((slice) =>
							where(model, "originKey").containsAny(slice.map((origin) => originKey(source, origin))),
						);
			for (const scope of scopes) {
				await this.#sumIndexed(model, and(scope, where(model, "addedAt").equal(seq)), added);
				await this.#sum(model, and(scope, where(model, "removedAt").equal(seq)), retired);
			}
		}
		return { added: added.build(), retired: retired.build() };
	}

	async tally(snapshot: Snapshot, source: string): Promise<Tally> {
		const builder = new TallyBuilder();
		for (const model of await this.collections.list()) {
			await this.#sum(
				model,
				and(where(model, "sourceKey").equal(sourceKey(source)), visible(model, snapshot)),
				builder,
			);
		}
		return builder.build();
	}

	async tallies(snapshot: Snapshot, source: string, after: string | undefined, limit: number): Promise<OriginTally[]> {
		const models = await this.collections.list();
		const ofSource = (model: ModelCollection) =>
			and(where(model, "sourceKey").equal(sourceKey(source)), visible(model, snapshot));
		const all = await Promise.all(models.map((model) => distinct(this.connection, model, "origin", ofSource(model))));
		const origins = [...new Set(all.flat())]
			.filter((origin) => after === undefined || compareBytes(origin, after) > 0)
			.sort(compareBytes)
			.slice(0, limit);
		const builders = new Map(origins.map((origin) => [origin, new TallyBuilder()]));
		for (const model of models) {
			for (const slice of chunked(origins, ORIGINS)) {
				const keys = slice.map((origin) => originKey(source, origin));
				const scope = and(where(model, "originKey").containsAny(keys), visible(model, snapshot));
				for await (const { properties, vector } of this.read(model, scope)) {
					const record = toRecord(properties, model.model, vector);
					builders.get(record.origin)?.add(chunkRecordDigest(record));
				}
			}
		}
		return [...builders].map(([origin, builder]) => ({ origin, tally: builder.build() }));
	}

	async records(snapshot: Snapshot, source: string, origin: string): Promise<ChunkRecord[]> {
		const records: ChunkRecord[] = [];
		for (const model of await this.collections.list()) {
			const scope = and(where(model, "originKey").equal(originKey(source, origin)), visible(model, snapshot));
			for await (const { properties, vector } of this.read(model, scope)) {
				records.push(toRecord(properties, model.model, vector));
			}
		}
		return records.sort((a, b) => compareBytes(a.group, b.group) || a.ordinal - b.ordinal);
	}

	async highestSeq(): Promise<Seq> {
		const highest = async (model: ModelCollection, property: "addedAt" | "removedAt") => {
			const { properties } = await this.connection.request("look for the highest seq", () =>
				model.collection.aggregate.overAll({
					filters: where(model, property).lessThan(CURRENT),
					returnMetrics: model.collection.metrics.aggregate(property as never).integer(["maximum"]) as never,
				}),
			);
			return (properties as Record<string, { maximum?: number } | undefined> | undefined)?.[property]?.maximum ?? 0;
		};
		const models = await this.collections.list();
		const found = await Promise.all(
			models.flatMap((model) => [highest(model, "addedAt"), highest(model, "removedAt")]),
		);
		return Math.max(0, ...found);
	}

	async count(model: ModelCollection, filters: FilterValue): Promise<number> {
		const { totalCount } = await this.connection.request("count chunks", () =>
			model.collection.aggregate.overAll({ filters }),
		);
		return totalCount;
	}

	/** Whether a filter lets anything pass: far cheaper than to count. */
	async some(model: ModelCollection, filters: FilterValue): Promise<boolean> {
		return (await this.#fetch(model, filters, ["addedAt"], false, 1)).length > 0;
	}

	/** Those of the ids that there are. */
	async existing(model: ModelCollection, ids: readonly string[]): Promise<Set<string>> {
		if (ids.length === 0) return new Set();
		const filters = model.collection.filter.byId().containsAny([...ids]);
		// One may be given twice, see `once`.
		const found = await this.#fetch(model, filters, ["addedAt"], false, ids.length * 2);
		return new Set(found.map(({ id }) => id));
	}

	/** All that a filter lets pass. */
	async *read(
		model: ModelCollection,
		filters: FilterValue,
		properties: readonly (keyof StoredChunk)[] = CONTENT_PROPERTIES,
		includeVector = true,
	): AsyncGenerator<FoundChunk> {
		for await (const { found } of this.#slices(model, filters, properties, includeVector)) yield* found;
	}

	/**
	 * Paging by offset ends at 10,000, and cursors take no filter: so the objects are read slice by slice of a number that is spread evenly over them.
	 * A slice's `within` lets pass what was found of it.
	 */
	async *#slices(
		model: ModelCollection,
		filters: FilterValue,
		properties: readonly (keyof StoredChunk)[],
		includeVector: boolean,
	): AsyncGenerator<{ readonly within: FilterValue; readonly found: readonly FoundChunk[] }> {
		// Most questions have few answers, and one request is enough.
		const first = await this.#fetch(model, filters, properties, includeVector, PAGE);
		if (first.length < PAGE) {
			yield { within: filters, found: once(first) };
			return;
		}
		const count = await this.count(model, filters);
		// Some more than needed, so that hardly any is full.
		const pieces = Math.ceil((count * 1.2) / PAGE);
		const slice = where(model, "slice");
		const pending: [number, number][] = [];
		for (let piece = pieces - 1; piece >= 0; piece--) {
			pending.push([Math.floor((piece * SLICES) / pieces), Math.floor(((piece + 1) * SLICES) / pieces)]);
		}
		for (let range = pending.pop(); range !== undefined; range = pending.pop()) {
			const [from, to] = range;
			const within = and(filters, slice.greaterOrEqual(from), slice.lessThan(to));
			const found = await this.#fetch(model, within, properties, includeVector, PAGE);
			if (found.length >= PAGE && to - from > 1) {
				const middle = Math.floor((from + to) / 2);
				pending.push([middle, to], [from, middle]);
			} else yield { within, found: once(found) };
		}
	}

	async #fetch(
		model: ModelCollection,
		filters: FilterValue,
		properties: readonly (keyof StoredChunk)[],
		includeVector: boolean,
		limit: number,
	): Promise<FoundChunk[]> {
		const { objects } = await this.connection.request("read chunks", () =>
			model.collection.query.fetchObjects({
				filters,
				limit,
				includeVector,
				returnProperties: [...properties] as never,
			}),
		);
		return objects.map((object) => ({
			id: object.uuid,
			properties: object.properties as unknown as StoredChunk,
			vector: object.vectors.default as readonly number[] | undefined,
		}));
	}

	async #sum(model: ModelCollection, filters: FilterValue, builder: TallyBuilder): Promise<void> {
		for await (const { properties, vector } of this.read(model, filters)) {
			builder.add(chunkRecordDigest(toRecord(properties, model.model, vector)));
		}
	}

	/** Of what a filter lets pass, what a search of vectors finds. */
	async #sumIndexed(model: ModelCollection, filters: FilterValue, builder: TallyBuilder): Promise<void> {
		for await (const { within, found } of this.#slices(model, filters, CONTENT_PROPERTIES, true)) {
			const ids = found.map(({ id }) => id);
			const holding = await this.index.holding(model, within, ids, PAGE);
			for (const { id, properties, vector } of found) {
				if (holding.has(id)) builder.add(chunkRecordDigest(toRecord(properties, model.model, vector)));
			}
		}
	}
}

/**
 * A server that was killed while a chunk was put again may have it under two numbers of its own in its indexes, and give it twice: the same object, of
 * one slice, so that both are in one answer.
 */
function once(found: readonly FoundChunk[]): FoundChunk[] {
	return [...new Map(found.map((chunk) => [chunk.id, chunk])).values()];
}
