import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileOrigin } from "../../src/domain/keys.js";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import { LexicalHasher } from "../../src/embeddings/lexical/lexical-hash.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import { seededNumbers, seededVectors } from "../support/seeded-vectors.js";

export interface VectorSearchOptions {
	/** Default 100,000. */
	readonly chunks?: number;
	readonly queries?: number;
	/** `clustered`: random around 2,000 centres; `lexical`: the built-in embedding of the generated texts. */
	readonly vectors?: "clustered" | "lexical";
}

const DIMENSIONS = 384;
const SNAPSHOT = { number: 1, seq: 1_000, excluding: [7], publishedAt: "2026-01-01T00:00:00.000Z" };
const MODELS = { clustered: "bench/clustered-384", lexical: "lexical-v1-384" } as const;
const BATCH = 500;

/** Search over many chunks, text and vectors apart: milliseconds, and recall@10 of vectors against an exact scan. */
export async function run(options: VectorSearchOptions = {}): Promise<object> {
	const { chunks = 100_000, queries = 40, vectors = "clustered" } = options;
	const model = MODELS[vectors];
	const folder = await mkdtemp(join(tmpdir(), "lode-search-bench-"));
	const path = join(folder, "vectors.db");
	let store = createSqliteVectorStore({ path });
	try {
		const texts = textGenerator();
		const hasher = new LexicalHasher();
		const clustered = seededVectors(1, DIMENSIONS, 2_000);
		const vectorOf = (text: string) => (vectors === "lexical" ? hasher.embed(text) : clustered());
		const matrix = new Float32Array(chunks * DIMENSIONS);
		const started = performance.now();
		for (let at = 0; at < chunks; at += BATCH) {
			const records = Array.from({ length: Math.min(BATCH, chunks - at) }, (_, n) =>
				record(at + n, model, texts(), vectorOf),
			);
			for (const [n, { vector }] of records.entries()) matrix.set(vector, (at + n) * DIMENSIONS);
			await store.stage(1 + Math.floor(at / BATCH) * 2, records);
		}
		const stageSeconds = (performance.now() - started) / 1000;
		// A command line process starts cold.
		await store.close();
		store = createSqliteVectorStore({ path });

		const questions = Array.from({ length: queries }, () => texts(6));
		const asked = questions.map(vectorOf);
		const filter = { snapshot: SNAPSHOT };
		const textMs: number[] = [];
		for (const question of questions) textMs.push(await timed(() => store.searchText(question, filter, 300)));
		const vectorMs: number[] = [];
		const filteredMs: number[] = [];
		let found = 0;
		for (const vector of asked) {
			let places: number[] = [];
			vectorMs.push(
				await timed(async () => {
					const hits = await store.searchVector(model, vector, filter, 10);
					places = hits.map((hit) => hit.ordinal);
				}),
			);
			filteredMs.push(await timed(() => store.searchVector(model, vector, { ...filter, path: "src/1*/**" }, 10)));
			const exact = new Set(exactTop(matrix, vector, chunks, 10));
			found += places.filter((place) => exact.has(place)).length;
		}
		return {
			chunks,
			dimensions: DIMENSIONS,
			vectors,
			stageSeconds: Number(stageSeconds.toFixed(1)),
			text: figures(textMs),
			vector: figures(vectorMs),
			vectorWithPathFilter: figures(filteredMs),
			recallAt10: Number((found / (queries * 10)).toFixed(3)),
			residentMb: Math.round(process.memoryUsage().rss / 1e6),
		};
	} finally {
		await store.close();
		await rm(folder, { recursive: true, force: true });
	}
}

function record(index: number, model: string, text: string, vectorOf: (text: string) => Float32Array): ChunkRecord {
	const file = Math.floor(index / 8);
	const path = `src/${file % 97}/module-${file}.ts`;
	return {
		source: `source-${index % 5}`,
		group: "default",
		model,
		origin: fileOrigin(path),
		path,
		ordinal: index,
		kind: "function",
		language: "typescript",
		startLine: 1,
		endLine: 20,
		symbol: `Thing${index % 1000}.run`,
		text,
		vector: vectorOf(text),
	};
}

/** Words of a vocabulary of 20,000 with frequencies as in natural text (Zipf): some stand in nearly every chunk. */
function textGenerator(): (words?: number) => string {
	const next = seededNumbers(3);
	const syllables = [
		"con",
		"nec",
		"tor",
		"pa",
		"ra",
		"me",
		"lis",
		"ten",
		"qui",
		"vo",
		"zu",
		"bri",
		"gal",
		"fex",
		"dom",
	];
	const vocabulary = Array.from({ length: 20_000 }, () =>
		Array.from({ length: 2 + Math.floor(next() * 3) }, () => syllables[Math.floor(next() * syllables.length)]).join(""),
	);
	return (words = 120) =>
		Array.from({ length: words }, () => vocabulary[Math.floor(20_000 ** next()) - 1] ?? "zero").join(" ");
}

function exactTop(matrix: Float32Array, query: Float32Array, rows: number, limit: number): number[] {
	const scores = new Float32Array(rows);
	for (let row = 0; row < rows; row += 1) {
		let sum = 0;
		const offset = row * DIMENSIONS;
		for (let at = 0; at < DIMENSIONS; at += 1) sum += (matrix[offset + at] as number) * (query[at] as number);
		scores[row] = sum;
	}
	return Array.from(scores.keys())
		.sort((a, b) => (scores[b] as number) - (scores[a] as number))
		.slice(0, limit);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
	const started = performance.now();
	await work();
	return performance.now() - started;
}

function figures(milliseconds: readonly number[]): object {
	const sorted = [...milliseconds].sort((a, b) => a - b);
	const at = (part: number) => Number((sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1));
	return { firstMs: Number((milliseconds[0] ?? 0).toFixed(1)), p50Ms: at(0.5), p95Ms: at(0.95) };
}
