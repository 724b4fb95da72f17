import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileOrigin } from "../../src/domain/keys.js";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import type { EmbeddingProvider } from "../../src/embeddings/embedding.port.js";
import { createLexicalProvider } from "../../src/embeddings/lexical/lexical-provider.js";
import { searchChunks } from "../../src/services/search/search-chunks.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import { seededNumbers, seededVectors } from "../support/seeded-vectors.js";
import type { Bench, Figure } from "./bench.js";
import { exactTop } from "./exact-search.js";
import { figure, percentiles, quantile, rounded, timed } from "./measuring.js";
import { realTexts, type Texts } from "./real-texts.js";

export interface VectorSearchOptions {
	/** Default 100,000. */
	readonly chunks?: number;
	readonly queries?: number;
	/**
	 * `clustered`: random vectors around 2,000 centres, as of a model that knows meaning, beside generated texts; `lexical`: the built-in
	 * embedding of real text.
	 */
	readonly vectors?: "clustered" | "lexical";
}

/** Milliseconds a query; a series in the order asked, the first one by a process that has just opened the store. */
export interface VectorSearchSeries {
	readonly chunks: number;
	readonly vectors: "clustered" | "lexical";
	readonly stageSeconds: number;
	readonly text: readonly number[];
	readonly vector: readonly number[];
	readonly vectorWithPathFilter: readonly number[];
	/** Text, vectors and symbols fused, as `lode search` asks: the ten best. */
	readonly hybrid: readonly number[];
	/** The same question to a plain FTS5 table of the same texts: the ten best. */
	readonly bareFts: readonly number[];
	/** All dot products with the same vectors in memory: the ten best. */
	readonly bareScan: readonly number[];
	/** Of the vectors' ten best against the exact ten best. */
	readonly recallAt10: number;
	readonly residentMb: number;
}

const DIMENSIONS = 384;
const SNAPSHOT = { number: 1, seq: 1_000, excluding: [7], publishedAt: "2026-01-01T00:00:00.000Z" };
const MODELS = { clustered: "bench/clustered-384", lexical: "lexical-v1-384" } as const;
const BATCH = 500;

export const search: Bench = {
	summary:
		"search p50 and p95 over 384 dimensions: text, vectors, hybrid; recall@10; bare FTS5 and a bare scan beside them",
	async run({ full, note }) {
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		for (const chunks of full ? [10_000, 100_000] : [10_000]) {
			for (const vectors of ["clustered", "lexical"] as const) {
				const series = await run({ chunks, vectors });
				const name = `search of ${chunks.toLocaleString("en")} chunks, ${vectors}`;
				const fts = { name: "bare FTS5, p50, ms", value: quantile(series.bareFts, 0.5) };
				const scan = { name: "bare dot products, p50, ms", value: quantile(series.bareScan, 0.5) };
				figures.push(
					...percentiles(`${name}: text`, series.text, fts),
					...percentiles(`${name}: vectors`, series.vector, scan),
					...percentiles(`${name}: vectors with a path filter`, series.vectorWithPathFilter, scan),
					...percentiles(`${name}: hybrid`, series.hybrid, { name: "both, ms", value: fts.value + scan.value }),
					figure(`${name}: recall@10 of vectors`, series.recallAt10, "fraction"),
				);
				details[name] = series;
				note(`${name}: hybrid p50 ${rounded(quantile(series.hybrid, 0.5))} ms, recall@10 ${series.recallAt10}`);
			}
		}
		return { figures, details };
	},
};

/** Search over many chunks, each part apart. */
export async function run(options: VectorSearchOptions = {}): Promise<VectorSearchSeries> {
	const { chunks = 100_000, queries = 40, vectors = "clustered" } = options;
	const model = MODELS[vectors];
	const folder = await mkdtemp(join(tmpdir(), "lode-search-bench-"));
	const path = join(folder, "vectors.db");
	let store = createSqliteVectorStore({ path });
	const bare = new DatabaseSync(join(folder, "bare.db"));
	try {
		const texts = vectors === "lexical" ? await realTexts() : generatedTexts();
		const provider = vectors === "lexical" ? createLexicalProvider() : clusteredProvider();
		bare.exec("PRAGMA journal_mode = WAL; CREATE VIRTUAL TABLE chunks USING fts5(text)");
		const insert = bare.prepare("INSERT INTO chunks (rowid, text) VALUES (?, ?)");
		const matrix = new Float32Array(chunks * DIMENSIONS);
		let stageMs = 0;
		for (let at = 0; at < chunks; at += BATCH) {
			const batch = Array.from({ length: Math.min(BATCH, chunks - at) }, () => texts.chunk());
			const embedded = await provider.embed(batch);
			const records = batch.map((text, n) => record(at + n, model, text, embedded[n] as Float32Array));
			const seq = 1 + Math.floor(at / BATCH) * 2;
			// What the snapshot leaves out is no answer: its rows stay zero.
			if (!SNAPSHOT.excluding.includes(seq))
				matrix.set(
					embedded.flatMap((vector) => [...vector]),
					at * DIMENSIONS,
				);
			stageMs += (await timed(() => store.stage(seq, records))).ms;
			bare.exec("BEGIN");
			for (const [n, text] of batch.entries()) insert.run(at + n, text);
			bare.exec("COMMIT");
		}
		// A command line process starts cold.
		await store.close();
		store = createSqliteVectorStore({ path });

		const questions = Array.from({ length: queries }, () => texts.question());
		const asked = await provider.embed(questions);
		const filter = { snapshot: SNAPSHOT };
		const match = bare.prepare("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rank LIMIT 10");
		const each = async (work: (question: string, vector: Float32Array) => unknown): Promise<number[]> => {
			const series: number[] = [];
			for (const [n, question] of questions.entries()) {
				series.push(rounded((await timed(() => work(question, asked[n] as Float32Array))).ms, 2));
			}
			return series;
		};
		const text = await each((question) => store.searchText(question, filter, 300));
		const found: number[][] = [];
		const vector = await each(async (_, query) => {
			found.push((await store.searchVector(model, query, filter, 10)).map(({ ordinal }) => ordinal));
		});
		const exact: Set<number>[] = [];
		const bareScan = await each((_, query) => exact.push(new Set(exactTop(matrix, query, 10))));
		const right = found.reduce((sum, rows, n) => sum + rows.filter((row) => exact[n]?.has(row)).length, 0);
		return {
			chunks,
			vectors,
			stageSeconds: rounded(stageMs / 1_000),
			text,
			vector,
			vectorWithPathFilter: await each((_, query) =>
				store.searchVector(model, query, { ...filter, path: "src/1*/**" }, 10),
			),
			hybrid: await each((question) =>
				searchChunks(
					{ vectors: store, provider: () => provider, existing: async () => [] },
					{ text: question, limit: 10 },
					filter,
				),
			),
			bareFts: await each((question) => match.all(anyWord(question))),
			bareScan,
			recallAt10: rounded(right / (queries * 10), 3),
			residentMb: Math.round(process.memoryUsage().rss / 1e6),
		};
	} finally {
		bare.close();
		await store.close();
		await rm(folder, { recursive: true, force: true, maxRetries: 5 });
	}
}

/** The query as Lode's own search means it: any of the words. */
function anyWord(question: string): string {
	return (question.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => `"${word}"`).join(" OR ");
}

/** Stands for a model that knows meaning: what it says of a text is a random vector near one of 2,000 centres. */
function clusteredProvider(): EmbeddingProvider {
	const next = seededVectors(1, DIMENSIONS, 2_000);
	return {
		name: "local",
		maxBatch: BATCH,
		maxConcurrency: 1,
		model: async () => ({ id: MODELS.clustered, dimensions: DIMENSIONS }),
		embed: async (texts) => texts.map(next),
		close: async () => {},
	};
}

function record(index: number, model: string, text: string, vector: Float32Array): ChunkRecord {
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
		vector,
	};
}

/** Words of a vocabulary of 20,000 with frequencies as in natural text (Zipf): some stand in nearly every chunk. */
function generatedTexts(): Texts {
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
	const sentence = (words: number) =>
		Array.from({ length: words }, () => vocabulary[Math.floor(20_000 ** next()) - 1] ?? "zero").join(" ");
	return { chunk: () => sentence(120), question: () => sentence(6) };
}
