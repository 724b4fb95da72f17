import type { FilterValue } from "weaviate-client";
import { compareBytes } from "../../../domain/byte-order.js";
import { LodeError } from "../../../domain/errors.js";
import { fileOrigin } from "../../../domain/keys.js";
import { NO_MODEL } from "../../../domain/mined-file.js";
import { textTerms } from "../../../domain/text/terms.js";
import { chunked } from "../../sqlite/chunked.js";
import { onlyCommits } from "../record-kinds.js";
import { tellingTerms } from "../text/query-terms.js";
import type { ChunkHit, FilePlace, SearchFilter, VectorStore } from "../vectors.port.js";
import { checkChunks } from "./chunk-check.js";
import { and, or, searchFilter, where } from "./chunk-filter.js";
import { ChunkReader } from "./chunk-reader.js";
import { ChunkWriter } from "./chunk-writer.js";
import { KnownChunks } from "./known-chunks.js";
import type { ChunkTable, ScoredId } from "./memory/chunk-table.js";
import { TextMemory } from "./memory/text-memory.js";
import { RemovalMark } from "./removal-mark.js";
import { byPlace, CONTENT_PROPERTIES, originKey, symbolKey, toHit } from "./stored-chunk.js";
import { type RankedChunk, rankText, TextStatistics } from "./text-ranking.js";
import { VectorIndex } from "./vector-index.js";
import { rankVectors } from "./vector-ranking.js";
import { type ModelCollection, SCHEMA_VERSION, WeaviateCollections } from "./weaviate-collections.js";
import { WeaviateConnection, type WeaviateOptions } from "./weaviate-connection.js";

/** Text, path, symbol; what they weigh is in text-ranking.ts. */
const QUERY_PROPERTIES = ["terms", "pathTerms", "symbolTerms"] as const;
/** Of a query only its beginning is read, and of its terms so many, the longest: they are the rarest as a rule. */
const MAX_QUERY = 4_000;
const MAX_QUERY_TERMS = 64;
/** Weaviate's own ranking differs: so many more than are wanted are ranked anew (the first ten did not change from 500 of them down to 100). */
const FURTHER_CANDIDATES = 200;
/**
 * A term that stands in at most so many chunks is looked for by a filter, which finds them all; and further ones, as long as they are few together.
 * Weaviate's BM25 leaves out chunks that belong to the first ones while they are in memory tables, where property weights are used, and sometimes after
 * they were written (mended after 1.35: pull requests 11780, 12018 and 12022 of weaviate/weaviate).
 */
const FILTERED_UP_TO = 1_000;
const FILTERED_TOGETHER = 500;
/** Counts may be some seconds old. */
const MOST_FILTERED = FILTERED_UP_TO * 2;
/** What the server gives at most. */
const MAX_LIMIT = 10_000;
/** Filters of which it is remembered which models their chunks have. */
const FILTERS = 1_000;
const MEMORY_BYTES = 64 * 1024 * 1024;
/** Files whose chunks are read at once. */
const FILES = 100;
const VECTORS = 500;

export interface WeaviateProbe {
	readonly version: string;
	readonly models: readonly string[];
	readonly schema: number;
}

interface WeaviateStoreOptions extends WeaviateOptions {
	/** What an index of text, and chunks that were read once, may take of this process's memory, bytes. Default 64 MiB; 0: none. */
	readonly memoryBytes?: number;
}

/** The store, and what only tests and benches ask of it. */
interface WeaviateVectors extends VectorStore {
	/** Resolves when the index in memory of what was searched answers, or cannot. */
	ready(): Promise<void>;
	/** How often that index ranked the text of a collection. */
	answeredFromMemory(): number;
}

/**
 * Chunks, vectors and full text in Weaviate, one collection a model. Weaviate cannot refuse a write in the write's own request: see
 * `capabilities`. @throws PERMISSION_DENIED, CONFIG_INVALID, STORE_UNAVAILABLE
 */
export function createWeaviateVectorStore(options: WeaviateStoreOptions): WeaviateVectors {
	const connection = new WeaviateConnection(options);
	const collections = new WeaviateCollections(connection);
	const index = new VectorIndex(connection);
	const reader = new ChunkReader(connection, collections, index);
	const marks = new RemovalMark(connection);
	const writer = new ChunkWriter(connection, collections, reader, index, marks);
	const statistics = new TextStatistics(connection);
	const maxBytes = options.memoryBytes ?? MEMORY_BYTES;
	// Texts take what the index leaves.
	const known: KnownChunks = new KnownChunks(connection, () => maxBytes - memory.bytes);
	const memory: TextMemory = new TextMemory({ connection, reader, marks, known }, maxBytes);
	const modelsOf = new Map<string, readonly string[]>();
	let fromMemory = 0;

	/** Those in which anything can match. What commits say has a collection of its own. */
	async function modelsFor(filter: SearchFilter, only?: string): Promise<ModelCollection[]> {
		const commits = onlyCommits(filter);
		return (await collections.of(filter.snapshot)).filter(
			({ model }) =>
				(only === undefined || model === only) &&
				(filter.model === undefined || model === filter.model) &&
				commits === (model === NO_MODEL),
		);
	}

	/** Asks each of the models with its filter, where anything can match. */
	async function inEach<T>(
		filter: SearchFilter,
		ask: (model: ModelCollection, filters: FilterValue) => Promise<T>,
		only?: string,
	): Promise<T[]> {
		const answers = await Promise.all(
			(await modelsFor(filter, only)).map(async (model) => {
				const filters = await searchFilter(connection, model, filter);
				return filters === undefined ? undefined : { answer: await ask(model, filters) };
			}),
		);
		return answers.flatMap((one) => (one === undefined ? [] : [one.answer]));
	}

	/** By the index in memory; undefined where it does not answer. */
	async function inMemory(
		model: ModelCollection,
		{ snapshot }: SearchFilter,
		ask: (table: ChunkTable) => readonly ScoredId[],
	): Promise<RankedChunk[] | undefined> {
		const found = await memory.answer(model, snapshot, ask);
		if (found === undefined) return undefined;
		const ranked = await known.ranked(model, found);
		// One was deleted in between.
		if (ranked.length < found.length) return undefined;
		fromMemory += 1;
		return ranked;
	}

	/** By candidates that Weaviate gives. */
	async function rankCandidates(
		model: ModelCollection,
		words: readonly string[],
		filter: SearchFilter,
		wanted: number,
	): Promise<RankedChunk[]> {
		const { number } = filter.snapshot;
		const [filters, counts] = await Promise.all([
			searchFilter(connection, model, filter),
			statistics.counts(model, number, words),
		]);
		const terms = tellingTerms(counts);
		if (filters === undefined || terms.length === 0) return [];
		const rare = rareTerms(terms, counts);
		const depth = Math.min(MAX_LIMIT, wanted + FURTHER_CANDIDATES);
		const [size, filtered, ranked] = await Promise.all([
			statistics.size(model, number),
			rare.length === 0 ? [] : withTerms(model, filters, rare),
			rare.length === terms.length ? [] : byBm25(model, filters, terms, depth),
		]);
		// More than were counted: not all of them are there, and which ones is nobody's choice.
		const further =
			filtered.length < MOST_FILTERED || ranked.length > 0 ? [] : await byBm25(model, filters, terms, depth);
		const candidates = new Map([...ranked, ...further, ...filtered].map((object) => [object.uuid, object]));
		return rankText(await known.of(model, [...candidates.values()]), terms, counts, size);
	}

	/** Every chunk that has any of the terms. */
	async function withTerms(model: ModelCollection, filters: FilterValue, terms: readonly string[]) {
		const having = or(...QUERY_PROPERTIES.map((property) => where(model, property).containsAny(terms)));
		const { objects } = await connection.request("search the text", () =>
			model.collection.query.fetchObjects({
				filters: and(filters, having),
				limit: MOST_FILTERED,
				returnProperties: [...known.properties] as never,
			}),
		);
		return objects;
	}

	async function byBm25(model: ModelCollection, filters: FilterValue, terms: readonly string[], limit: number) {
		const { objects } = await connection.request("search the text", () =>
			model.collection.query.bm25(terms.join(" "), {
				queryProperties: [...QUERY_PROPERTIES] as never,
				filters,
				limit,
				returnProperties: [...known.properties] as never,
			}),
		);
		return objects;
	}

	/** Which are wanted is told by their places: of a name that thousands have, few texts are read. */
	async function named(
		model: ModelCollection,
		filter: SearchFilter,
		name: string,
		wanted: number,
	): Promise<RankedChunk[]> {
		const filters = await searchFilter(connection, model, filter);
		if (filters === undefined) return [];
		const having = and(filters, where(model, "symbolKeys").containsAny([symbolKey(name)]));
		const paths: { readonly id: string; readonly path: string }[] = [];
		for await (const { id, properties } of reader.read(model, having, ["path"], false))
			paths.push({ id, path: properties.path });
		paths.sort((a, b) => compareBytes(a.path, b.path));
		// Those of one path go by what the text's object says.
		const last = paths[wanted - 1]?.path;
		const first = paths.filter(({ path }, at) => at < wanted || path === last);
		return known.ranked(
			model,
			first.map(({ id }) => ({ id, score: 1 })),
		);
	}

	/** In order of (source, path, ordinal, group). */
	async function ofFiles(filter: SearchFilter, files: readonly FilePlace[]): Promise<ChunkHit[]> {
		const found: ChunkHit[] = [];
		for (const slice of chunked(files, FILES)) {
			const keys = slice.map(({ source, path }) => originKey(source, fileOrigin(path)));
			const hits = await inEach(filter, async (model, filters) => {
				const ofModel: ChunkHit[] = [];
				const some = and(filters, where(model, "originKey").containsAny(keys));
				for await (const { id, properties } of reader.read(model, some, CONTENT_PROPERTIES, false)) {
					ofModel.push(toHit(id, properties, model.model, 0));
				}
				return ofModel;
			});
			found.push(...hits.flat());
		}
		return found.sort((a, b) => compareBytes(a.source, b.source) || byPlace(a, b));
	}

	const best = (ranked: readonly RankedChunk[][], limit: number): ChunkHit[] => {
		const sorted = ranked.flat().sort((a, b) => b.score - a.score || byPlace(a.hit, b.hit));
		// Once each: see ChunkReader.read.
		const unique = new Map<string, ChunkHit>();
		for (const { hit, score } of sorted) {
			if (unique.size === limit) break;
			if (!unique.has(hit.id)) unique.set(hit.id, { ...hit, score });
		}
		return [...unique.values()];
	};

	return {
		capabilities: { refusesClosedSeq: false },

		stage: (seq, records, write) => writer.stage(seq, records, write),
		retire: (seq, source, origins, write) => writer.retire(seq, source, origins, write),
		discard: (seq) => writer.discard(seq),
		collect: (source, horizon) => writer.collect(source, horizon),
		dropSource: (source) => writer.dropSource(source),

		staged: (seq, source, origins) => reader.staged(seq, source, origins),
		tally: (snapshot, source) => reader.tally(snapshot, source),
		tallies: (snapshot, source, after, limit) => reader.tallies(snapshot, source, after, limit),
		records: (snapshot, source, origin) => reader.records(snapshot, source, origin),
		highestSeq: () => reader.highestSeq(),
		check: () => checkChunks(connection, collections, reader, index),

		async searchText(text, filter, limit) {
			const words = queryWords(text);
			const wanted = bounded(limit);
			if (words.length === 0 || wanted === 0) return [];
			const hits = await Promise.all(
				(await modelsFor(filter)).map(
					async (model) =>
						(await inMemory(model, filter, (table) => table.rank(words, filter, wanted))) ??
						(await rankCandidates(model, words, filter, wanted)),
				),
			);
			return best(hits, wanted);
		},

		async searchVector(name, vector, filter, limit) {
			const wanted = bounded(limit);
			const searched = (await collections.of(filter.snapshot)).find(({ model }) => model === name);
			if (searched === undefined || wanted === 0) return [];
			if (searched.dimensions !== vector.length) {
				throw new LodeError(
					"MODEL_MISMATCH",
					`Cannot search the vectors of ${name}: they have ${searched.dimensions} dimensions, the query has ${vector.length}`,
					{ next: "Search with the model that the group was indexed with." },
				);
			}
			const hits = await inEach(
				filter,
				(model, filters) => rankVectors({ connection, known }, model, filters, vector, wanted),
				name,
			);
			return best(hits, wanted);
		},

		async searchSymbol(name, filter, limit) {
			const wanted = bounded(limit);
			if (name === "" || wanted === 0) return [];
			const hits = await Promise.all(
				(await modelsFor(filter)).map(
					async (model) =>
						(await inMemory(model, filter, (table) => table.named(name, filter, wanted))) ??
						(await named(model, filter, name, wanted)),
				),
			);
			return hits
				.flat()
				.map(({ hit }) => ({ ...hit, score: 1 }))
				.sort(byPlace)
				.slice(0, wanted);
		},

		async firstChunks(filter, files) {
			const first = new Map<string, ChunkHit>();
			for (const hit of await ofFiles(filter, files)) {
				const key = `${hit.source}\0${hit.path}`;
				if (!first.has(key)) first.set(key, hit);
			}
			return [...first.values()];
		},

		chunksOf: async (filter, files, limit) => (await ofFiles(filter, files)).slice(0, bounded(limit)),

		async vectorsOf(hits) {
			const vectors = new Map<string, Float32Array>();
			for (const name of new Set(hits.map(({ model }) => model))) {
				const found = await collections.find(name);
				if (found === undefined) continue;
				const ids = hits.filter(({ model }) => model === name).map(({ id }) => id);
				for (const slice of chunked(ids, VECTORS)) {
					const { objects } = await connection.request("read vectors", () =>
						found.collection.query.fetchObjects({
							filters: found.collection.filter.byId().containsAny([...slice]),
							limit: slice.length,
							includeVector: true,
							returnProperties: ["addedAt"] as never,
						}),
					);
					for (const { uuid, vectors: stored } of objects) {
						vectors.set(uuid, Float32Array.from((stored.default as readonly number[] | undefined) ?? []));
					}
				}
			}
			return vectors;
		},

		// Vectors of some hundred hits are a megabyte of messages.
		similarities: async () => undefined,

		async models(filter) {
			// What a snapshot shows never changes.
			const key = JSON.stringify(filter);
			const remembered = modelsOf.get(key);
			if (remembered !== undefined) return [...remembered];
			const found = await inEach(filter, async (model, filters) =>
				(await reader.some(model, filters)) ? model.model : "",
			);
			const models = found.filter((model) => model !== "");
			if (modelsOf.size >= FILTERS) modelsOf.clear();
			if (models.length > 0) modelsOf.set(key, models);
			return models;
		},

		async count(filter) {
			const counts = await inEach(filter, (model, filters) => reader.count(model, filters));
			return counts.reduce((sum, count) => sum + count, 0);
		},

		async clear() {
			await collections.clear();
			known.clear();
			modelsOf.clear();
		},
		indexMemory: () => known.bytes + memory.bytes,
		ready: async () => memory.ready(await collections.list()),
		answeredFromMemory: () => fromMemory,
		async close() {
			memory.close();
			await connection.close();
		},
	};
}

/** What is there, with nothing changed. @throws PERMISSION_DENIED, CONFIG_INVALID, STORE_UNAVAILABLE */
export async function probeWeaviate(options: WeaviateOptions): Promise<WeaviateProbe> {
	const connection = new WeaviateConnection(options);
	try {
		const version = await connection.serverVersion();
		const models = await new WeaviateCollections(connection).list();
		return { version, models: models.map(({ model }) => model), schema: SCHEMA_VERSION };
	} finally {
		await connection.close();
	}
}

function queryWords(text: string): string[] {
	const words = [...new Set(textTerms(text.slice(0, MAX_QUERY)))];
	if (words.length <= MAX_QUERY_TERMS) return words;
	return words.sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).slice(0, MAX_QUERY_TERMS);
}

const bounded = (limit: number): number => Math.max(0, Math.min(MAX_LIMIT, Math.floor(limit)));

/** The rarest terms, as many as a filter looks for. */
function rareTerms(terms: readonly string[], counts: ReadonlyMap<string, number>): string[] {
	const rare: string[] = [];
	let chunks = 0;
	for (const term of [...terms].sort((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0))) {
		chunks += counts.get(term) ?? 0;
		if (chunks > (rare.length === 0 ? FILTERED_UP_TO : FILTERED_TOGETHER)) break;
		rare.push(term);
	}
	return rare;
}
