import { setTimeout as sleep } from "node:timers/promises";
import weaviateClient from "weaviate-client";
import { fileOrigin } from "../../src/domain/keys.js";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import type { EmbeddingProvider } from "../../src/embeddings/embedding.port.js";
import { searchChunks } from "../../src/services/search/search-chunks.js";
import { createWeaviateVectorStore } from "../../src/stores/vectors/weaviate/weaviate-vectors.adapter.js";
import { seededVectors } from "../support/seeded-vectors.js";
import type { Bench } from "./bench.js";
import { batchesOf, latencies, rate, withServer } from "./bench-server.js";
import { figure, percentiles, quantile } from "./measuring.js";
import { realTexts } from "./real-texts.js";

const DIMENSIONS = 384;
const MODEL = "bench/clustered-384";
const BATCH = 500;
const AT_ONCE = 4;
const QUESTIONS = 105;
/** `LODE_BENCH_CHUNKS`: another size. */
const CHOSEN = process.env.LODE_BENCH_CHUNKS;
const WARM = 5;
const QUIET_MS = 90_000;
const MEMORY_BYTES = 256 * 1024 * 1024;
const BUILT_AFTER_MS = 200;
const SNAPSHOT = { number: 1, seq: 1_000_000, excluding: [7], publishedAt: "2026-01-01T00:00:00.000Z" };

interface Question {
	readonly text: string;
	readonly vector: Float32Array;
}

/** Milliseconds of each way, question by question. */
async function inTurns<W extends string>(
	questions: readonly Question[],
	ways: Readonly<Record<W, (question: Question) => Promise<unknown>>>,
): Promise<Record<W, number[]>> {
	const series = Object.fromEntries(Object.keys(ways).map((way) => [way, [] as number[]])) as Record<W, number[]>;
	for (const [at, question] of questions.entries()) {
		for (const way of Object.keys(ways) as W[]) {
			const [taken] = await latencies([question], ways[way], 0);
			if (at >= WARM) series[way].push(taken as number);
		}
	}
	return series;
}

/** The same texts and vectors in a plain collection with the client's defaults: text, path, symbol, kind. */
async function bareCollection(url: string, grpcAddress: string) {
	const { hostname, port } = new URL(url);
	const client = await weaviateClient.connectToLocal({
		host: hostname,
		port: Number(port),
		grpcPort: Number(grpcAddress.split(":").at(-1)),
	});
	const text = (name: string) => ({ name, dataType: "text" as const });
	const collection = await client.collections.create({
		name: "Bare",
		vectorizers: weaviateClient.configure.vectors.selfProvided(),
		properties: [text("text"), text("path"), text("symbol"), text("kind")] as never,
	});
	return { client, collection };
}

export const weaviate: Bench = {
	summary: "chunks in Weaviate: vectors a second and hybrid search, beside a bare client on the same server",
	run: ({ full, note }) =>
		withServer("weaviate", async ({ url, grpcAddress }) => {
			const count = Number(CHOSEN ?? (full ? 50_000 : 5_000));
			const texts = await realTexts();
			const next = seededVectors(1, DIMENSIONS, 2_000);
			const records = Array.from({ length: count }, (_, index): ChunkRecord => {
				const file = Math.floor(index / 8);
				const path = `src/${file % 97}/module-${file}.ts`;
				return {
					source: `source-${index % 5}`,
					group: "default",
					model: MODEL,
					origin: fileOrigin(path),
					path,
					ordinal: index,
					kind: "function",
					language: "typescript",
					startLine: 1,
					endLine: 20,
					symbol: `Thing${index % 1_000}.run`,
					text: texts.chunk(),
					vector: next(),
				};
			});
			const store = createWeaviateVectorStore({ url, grpcAddress, installation: "bench", memoryBytes: MEMORY_BYTES });
			// What a process does that has just started, or has no room: every question is Weaviate's.
			const plain = createWeaviateVectorStore({ url, grpcAddress, installation: "bench", memoryBytes: 0 });
			const bare = await bareCollection(url, grpcAddress);
			try {
				const provider: EmbeddingProvider = {
					name: "local",
					maxBatch: BATCH,
					maxConcurrency: 1,
					model: async () => ({ id: MODEL, dimensions: DIMENSIONS }),
					embed: async (asked) => asked.map(next),
					close: async () => {},
				};
				// The model's collection is made with its first chunk.
				await store.stage(1, records.slice(0, 1));
				const batches = batchesOf(records, BATCH);
				const rates = { store: [] as number[], bare: [] as number[] };
				for (const [n, some] of batchesOf(batches, Math.ceil(batches.length / 5)).entries()) {
					rates.store.push(await rate(some, AT_ONCE, (batch, at) => store.stage(10 + n * 1_000 + at, batch)));
					rates.bare.push(
						await rate(some, AT_ONCE, (batch) =>
							bare.collection.data.insertMany(
								batch.map(({ text, path, symbol, kind, vector }) => ({
									properties: { text, path, symbol, kind } as never,
									vectors: Array.from(vector),
								})),
							),
						),
					);
					note(
						`${(n + 1) * 20} %: ${Math.round(rates.store.at(-1) ?? 0)} chunks/s, bare ${Math.round(rates.bare.at(-1) ?? 0)}`,
					);
				}
				const mean = (series: readonly number[]) => series.length / series.reduce((sum, one) => sum + 1 / one, 0);
				// What was inserted last lies in tables in memory, in which BM25 is ten times slower; they are written after a minute of quiet.
				note("waiting until Weaviate has written its memory tables");
				await sleep(QUIET_MS);
				const questions = Array.from({ length: QUESTIONS }, () => ({ text: texts.question(), vector: next() }));
				const filter = { snapshot: SNAPSHOT };
				// Built after the first search.
				await store.searchText(texts.question(), filter, 10);
				await sleep(BUILT_AFTER_MS);
				const started = performance.now();
				await store.ready();
				note(
					`text of ${count} chunks in memory after ${Math.round(performance.now() - started)} ms, ${store.indexMemory()} bytes`,
				);
				const hybridOf = (vectors: typeof store) => (question: Question) =>
					searchChunks(
						{ vectors, provider: () => provider, existing: async () => [] },
						{ text: question.text, limit: 10 },
						filter,
					);
				const textOf = (vectors: typeof store) => (question: Question) => vectors.searchText(question.text, filter, 10);
				// In turns, so that whatever else the machine does counts for all.
				const ways = {
					text: textOf(store),
					plainText: textOf(plain),
					bareText: ({ text }: Question) => bare.collection.query.bm25(text, { limit: 10 }),
					hybrid: hybridOf(store),
					plainHybrid: hybridOf(plain),
					bareHybrid: ({ text, vector }: Question) =>
						bare.collection.query.hybrid(text, { vector: Array.from(vector), limit: 10 }),
					vector: ({ vector }: Question) => store.searchVector(MODEL, vector, filter, 10),
					bareVector: ({ vector }: Question) => bare.collection.query.nearVector(Array.from(vector), { limit: 10 }),
				};
				const { text, plainText, bareText, hybrid, plainHybrid, bareHybrid, vector, bareVector } = await inTurns(
					questions,
					ways,
				);
				const p50 = (name: string, series: readonly number[]) => ({
					name: `${name}, p50, ms`,
					value: quantile(series, 0.5),
				});
				const of = `${count.toLocaleString("en")} chunks in Weaviate`;
				const figures = [
					figure("vectors of 384 dimensions staged in Weaviate", mean(rates.store), "chunks/s", {
						name: "bare client, objects/s",
						value: mean(rates.bare),
					}),
					...percentiles(`hybrid search of ${of}`, hybrid, p50("bare hybrid query", bareHybrid)),
					...percentiles(`text search of ${of}`, text, p50("bare BM25 query", bareText)),
					...percentiles(
						`text search of ${of}, without an index in memory`,
						plainText,
						p50("bare BM25 query", bareText),
					),
					...percentiles(`hybrid search of ${of}, without one`, plainHybrid, p50("bare hybrid query", bareHybrid)),
					...percentiles(`vector search of ${of}`, vector, p50("bare vector query", bareVector)),
				];
				note(figures.map(({ name, value, beside }) => `${name} ${value} (${beside?.ratio} × bare)`).join("; "));
				return {
					figures,
					details: { count, rates, hybrid, plainHybrid, bareHybrid, text, plainText, bareText, vector, bareVector },
				};
			} finally {
				await bare.client.close();
				await store.close();
				await plain.close();
			}
		}),
};
