import pLimit from "p-limit";
import type { FilterValue } from "weaviate-client";
import { LodeError } from "../../../domain/errors.js";
import type { ChunkRecord } from "../../../domain/mined-file.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { chunked } from "../../sqlite/chunked.js";
import type { WriteOptions } from "../../versioned.port.js";
import { and, goneIn, where } from "./chunk-filter.js";
import type { ChunkReader, FoundChunk } from "./chunk-reader.js";
import { insertObjects } from "./insert-objects.js";
import type { RemovalMark } from "./removal-mark.js";
import { CURRENT, chunkId, lifeOf, originKey, type StoredChunk, sourceKey, storedChunk } from "./stored-chunk.js";
import type { VectorIndex } from "./vector-index.js";
import type { ModelCollection, WeaviateCollections } from "./weaviate-collections.js";
import { requireTime, type WeaviateConnection } from "./weaviate-connection.js";
import { isInterrupted, isPassing } from "./weaviate-errors.js";

/** Objects of one insert: more make it no faster. */
const BATCH = 500;
const ORIGINS = 500;
/** How often the objects of a batch that failed for a passing reason are sent again. */
const ATTEMPTS = 5;
const REMOVED_AT_ONCE = 20;
const ALL: readonly (keyof StoredChunk)[] = [
	...["content", "origin", "path", "language", "kind"],
	...["addedAt", "removedAt", "sourceKey", "groupKey", "originKey", "pathKey", "symbolKeys", "slice"],
	...["terms", "pathTerms", "symbolTerms", "length", "digest", "life"],
] as (keyof StoredChunk)[];

interface Insert {
	readonly id: string;
	readonly properties: StoredChunk;
	readonly vectors: number[];
}

/** All writes of chunks. Weaviate has no transactions: each is idempotent, and what did not get through is sent again. */
export class ChunkWriter {
	constructor(
		private readonly connection: WeaviateConnection,
		private readonly collections: WeaviateCollections,
		private readonly reader: ChunkReader,
		private readonly index: VectorIndex,
		private readonly marks: RemovalMark,
	) {}

	async stage(seq: Seq, records: readonly ChunkRecord[], { deadline, again }: WriteOptions = {}): Promise<void> {
		const byModel = new Map<string, ChunkRecord[]>();
		for (const record of records) {
			const known = byModel.get(record.model);
			if (known) known.push(record);
			else byModel.set(record.model, [record]);
		}
		for (const [name, ofModel] of byModel) {
			const dimensions = ofModel[0]?.vector.length ?? 0;
			const model = await this.collections.ensure(name, dimensions, deadline);
			for (const { vector, origin, ordinal } of ofModel) {
				if (vector.length === model.dimensions) continue;
				throw new LodeError(
					"MODEL_MISMATCH",
					`Cannot stage ${origin} chunk ${ordinal}: vectors of ${name} have ${model.dimensions} dimensions, this one has ${vector.length}`,
					{ next: "Use the model that the group was indexed with, under its own name." },
				);
			}
			const inserts = new Map<string, Insert>();
			for (const record of ofModel) {
				const id = chunkId(record, seq);
				if (!inserts.has(id))
					inserts.set(id, { id, properties: storedChunk(record, seq), vectors: Array.from(record.vector) });
			}
			await this.#insertDurably(model, [...inserts.values()], { deadline, again });
		}
	}

	/**
	 * Ends when all of them, with their vectors, outlive the server's process. Where a request had to be repeated it may be another process by now, which
	 * lost, whole or in part, vectors that the earlier one had acknowledged: then all of them are inserted anew.
	 */
	async #insertDurably(
		model: ModelCollection,
		inserts: readonly Insert[],
		{ deadline, again }: WriteOptions,
	): Promise<void> {
		for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
			let isRepeated = false;
			for (const slice of chunked(inserts, BATCH)) {
				const requests = await this.#insertNew(model, slice, { deadline, again: again === true || attempt > 1 });
				isRepeated ||= requests > 1;
			}
			if ((await this.index.close(model, deadline)) === 1 && !isRepeated) return;
		}
		throw new LodeError("STORE_UNAVAILABLE", "Weaviate went away each time that chunks were stored", {
			next: "Look at the log of that server.",
		});
	}

	async retire(
		seq: Seq,
		source: string,
		origins: readonly string[],
		{ deadline, again }: WriteOptions = {},
	): Promise<void> {
		if (origins.length === 0) return;
		for (const model of await this.collections.list()) {
			for (const slice of chunked([...new Set(origins)], ORIGINS)) {
				const keys = slice.map((origin) => originKey(source, origin));
				const earlier = and(where(model, "originKey").containsAny(keys), where(model, "addedAt").lessThan(seq));
				if (again) await this.#retireAgain(model, earlier, seq, deadline);
				else await this.#setRemoved(model, and(earlier, where(model, "removedAt").equal(CURRENT)), seq, deadline);
			}
		}
	}

	/**
	 * As #insertNew, for objects that an earlier snapshot shows, which cannot be taken away: those that say to be retired are made current and
	 * retired once more, so that both writes change the property and with it the index. They are found without its help.
	 */
	async #retireAgain(model: ModelCollection, earlier: FilterValue, seq: Seq, deadline?: number): Promise<void> {
		const found = await this.#read(model, earlier);
		const retired = found.filter(({ properties }) => properties.removedAt === seq);
		const current = found.filter(({ properties }) => properties.removedAt === CURRENT);
		await this.#write(model, retired, CURRENT, deadline);
		await this.#write(model, [...retired, ...current], seq, deadline);
	}

	async discard(seq: Seq): Promise<void> {
		for (const model of await this.collections.list()) {
			await this.#setRemoved(model, where(model, "removedAt").equal(seq), CURRENT);
			await this.#delete(model, where(model, "addedAt").equal(seq));
		}
	}

	async collect(source: string, horizon: Snapshot): Promise<number> {
		let deleted = 0;
		for (const model of await this.collections.list()) {
			const gone = and(where(model, "sourceKey").equal(sourceKey(source)), goneIn(model, horizon));
			if ((await this.reader.count(model, gone)) === 0) continue;
			await this.marks.collect(model, horizon);
			deleted += await this.#delete(model, gone);
		}
		return deleted;
	}

	async dropSource(source: string): Promise<void> {
		for (const model of await this.collections.list()) {
			const ofSource = where(model, "sourceKey").equal(sourceKey(source));
			await this.marks.around(model, () => this.#delete(model, ofSource));
		}
	}

	async #setRemoved(model: ModelCollection, filters: FilterValue, removedAt: Seq, deadline?: number): Promise<void> {
		await this.#write(model, await this.#read(model, filters), removedAt, deadline);
	}

	/** To the end before the first is written: what is written may fall out of the filter. */
	async #read(model: ModelCollection, filters: FilterValue): Promise<FoundChunk[]> {
		const found: FoundChunk[] = [];
		for await (const one of this.reader.read(model, filters, ALL)) found.push(one);
		return found;
	}

	/** There is no update by filter: whole objects are written again, with the same vector, which the index then leaves as it is. */
	async #write(
		model: ModelCollection,
		chunks: readonly FoundChunk[],
		removedAt: Seq,
		deadline?: number,
	): Promise<void> {
		for (const slice of chunked(chunks, BATCH)) {
			const inserts = slice.map(({ id, properties, vector }) => {
				const life = lifeOf(properties.digest, properties.addedAt, removedAt);
				return { id, properties: { ...properties, removedAt, life }, vectors: [...(vector ?? [])] };
			});
			await this.#insert(model, inserts, deadline);
		}
	}

	/**
	 * A server that is killed within a batch has some of its objects without all of their index entries, or without their vectors in the index, and takes
	 * an equal object for one that it has: it would never be found. So what may be there is taken away before it is sent again. Only for objects of a
	 * seq that is not published. Returns how many requests it took.
	 */
	async #insertNew(
		model: ModelCollection,
		inserts: readonly Insert[],
		{ deadline, again }: WriteOptions,
	): Promise<number> {
		const ids = inserts.map(({ id }) => id);
		const there = again ? new Set<string>() : await this.reader.existing(model, ids);
		const whole = await this.#whole(model, there);
		const absent = inserts.filter(({ id }) => !whole.has(id));
		let requests = 0;
		await this.#insert(model, absent, deadline, async (batch) => {
			requests += 1;
			const isFirst = requests === 1 && !again;
			await this.#remove(model, isFirst ? batch.filter(({ id }) => there.has(id)) : batch, deadline);
		});
		return requests;
	}

	/** Of what is there, what need not be written anew. What waits in a queue on disk cannot be told from what is lost: whoever verifies waits and tells. */
	async #whole(model: ModelCollection, there: ReadonlySet<string>): Promise<ReadonlySet<string>> {
		if (there.size === 0 || (await this.index.waiting(model)) > 0) return there;
		return this.index.holdingOf(model, [...there]);
	}

	/** One by one: to find them by a filter would need the index entries that may be missing. */
	async #remove(model: ModelCollection, batch: readonly Insert[], deadline?: number): Promise<void> {
		const limit = pLimit(REMOVED_AT_ONCE);
		const removal = async ({ id }: Insert) => {
			requireTime("store chunks", deadline);
			await model.collection.data.deleteById(id);
		};
		await Promise.all(batch.map((insert) => limit(() => removal(insert))));
	}

	/** @throws STORE_UNAVAILABLE, INTERNAL naming the first record that was refused */
	async #insert(
		model: ModelCollection,
		inserts: readonly Insert[],
		deadline?: number,
		before: (batch: readonly Insert[]) => Promise<void> = async () => undefined,
	): Promise<void> {
		let pending = inserts;
		for (let attempt = 1; pending.length > 0; attempt++) {
			const batch = pending;
			const errors = await this.connection.request(
				"store chunks",
				async () => {
					await before(batch);
					requireTime("store chunks", deadline);
					return insertObjects(model.collection, batch);
				},
				deadline,
			);
			const failed = Object.entries(errors);
			const [first] = failed;
			if (first === undefined) return;
			const message = first[1].message;
			const record = batch[Number(first[0])]?.properties;
			// A record that it cannot take is refused alone; where all are, it is the server that is not itself.
			const all = failed.length === batch.length && batch.length > 1;
			const passing = failed.every(([, { message }]) => all || isPassing(new Error(message)) || isInterrupted(message));
			if (!passing || attempt === ATTEMPTS) {
				throw new LodeError(
					passing ? "STORE_UNAVAILABLE" : "INTERNAL",
					`Weaviate refused ${failed.length} of ${batch.length} chunks, first one of ${record?.origin}`,
					{ next: "Look at the log of that server.", cause: new Error(message) },
				);
			}
			pending = failed.map(([index]) => batch[Number(index)] as Insert);
		}
	}

	/** A call deletes 10,000 objects at most. */
	async #delete(model: ModelCollection, filters: FilterValue): Promise<number> {
		for (let deleted = 0; ; ) {
			const { matches, successful } = await this.connection.request("delete chunks", () =>
				model.collection.data.deleteMany(filters),
			);
			deleted += successful;
			if (matches > 0 && successful === 0) {
				throw new LodeError("STORE_UNAVAILABLE", `Weaviate deleted none of ${matches} chunks`, {
					next: "Look at the log of that server: its disk may be full, or a shard of it read-only.",
				});
			}
			if (matches === 0 || (matches === successful && (await this.reader.count(model, filters)) === 0)) return deleted;
		}
	}
}
