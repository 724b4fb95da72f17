import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileOrigin } from "../../src/domain/keys.js";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import type { EmbeddingProvider } from "../../src/embeddings/embedding.port.js";
import { createLexicalProvider } from "../../src/embeddings/lexical/lexical-provider.js";
import { searchChunks } from "../../src/services/search/search-chunks.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import type { VectorStore } from "../../src/stores/vectors/vectors.port.js";
import { seededNumbers, seededVectors } from "../support/seeded-vectors.js";
import type { Bench, Figure } from "./bench.js";
import { exactTop } from "./exact-search.js";
import { figure, percentiles, quantile, rounded, timed } from "./measuring.js";
import { lanceSearch } from "./peers/lance-search.js";
import { realTexts, type Texts } from "./real-texts.js";

export interface VectorSearchOptions {
	readonly chunks: number;
	readonly queries: number;
	/**
	 * `clustered`: random vectors around 2,000 centres, as of a model that knows meaning, beside generated texts; `lexical`: the built-in
	 * embedding of real text.
	 */
	readonly vectors: "clustered" | "lexical";
	/** LanceDB too. */
	readonly peers: boolean;
	note(line: string): void;
}

/** Milliseconds a query, in the order asked. */
interface Parts {
	/** 300 hits by BM25: what a search asks of it. */
	readonly text: readonly number[];
	/** Ten hits by their vectors. */
	readonly vector: readonly number[];
	/** Text, vectors and symbols fused, as `lode search` asks: the ten best. */
	readonly hybrid: readonly number[];
}

interface VectorSearchSeries {
	readonly chunks: number;
	readonly vectors: "clustered" | "lexical";
	readonly stageSeconds: number;
	/** By a process that has just opened the file: what `lode search` is. */
	readonly fromFile: Parts;
	/** By one that stays (`lode dev`, API, MCP), questions that it has not heard before; and when it hears them again. */
	readonly fromMemory: Parts;
	readonly again: Parts;
	readonly readySeconds: number;
	readonly withPathFilter: readonly number[];
	/** The same question to a plain FTS5 table of the same texts: the ten best. */
	readonly bareFts: readonly number[];
	/** All dot products with the same vectors in memory: the ten best. */
	readonly bareScan: readonly number[];
	readonly lance?: { readonly plain: readonly number[]; readonly filtered: readonly number[] };
	/** Of the ten best by vectors against the exact ten best. */
	readonly recallAt10: number;
	readonly residentMb: number;
}

/** `LODE_BENCH_CHUNKS`: other sizes, separated by commas. */
const CHOSEN = process.env.LODE_BENCH_CHUNKS?.split(",").map(Number);
const DIMENSIONS = 384;
const SNAPSHOT = { number: 1, seq: 1_000_000, excluding: [7], publishedAt: "2026-01-01T00:00:00.000Z" };
const SOURCES = ["source-0", "source-1", "source-2", "source-3"];
const MODELS = { clustered: "bench/clustered-384", lexical: "lexical-v1-384" } as const;
const BATCH = 500;
const MEMORY_BYTES = 256 * 2 ** 20;
/** LanceDB reads all of them from the disk's cache: more would say the same, later. */
const MOST_OF_LANCE = 100_000;

export const search: Bench = {
	summary:
		"search p50 and p95 over 384 dimensions: text, vectors, hybrid, from the file and from memory; recall@10; bare FTS5, a bare scan, LanceDB beside them",
	async run({ full, note }) {
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		const sizes = CHOSEN ?? (full ? [10_000, 100_000, 1_000_000] : [10_000]);
		for (const chunks of sizes) {
			for (const vectors of chunks > 100_000 ? (["clustered"] as const) : (["clustered", "lexical"] as const)) {
				const queries = chunks > 100_000 ? 40 : 80;
				const series = await run({ chunks, vectors, queries, peers: full && chunks <= MOST_OF_LANCE, note });
				const name = `search of ${chunks.toLocaleString("en")} chunks, ${vectors}`;
				const { fromFile, fromMemory, again, lance } = series;
				const p50 = (called: string, of: readonly number[]) => ({ name: called, value: quantile(of, 0.5) });
				const fts = p50("bare FTS5, p50, ms", series.bareFts);
				const scan = lance
					? p50("LanceDB's exact search with the filter, p50, ms", lance.filtered)
					: p50("bare dot products, p50, ms", series.bareScan);
				figures.push(
					...percentiles(`${name}: text`, fromMemory.text, fts),
					...percentiles(`${name}: text, words heard before`, again.text, fts),
					...percentiles(`${name}: vectors`, fromMemory.vector, scan),
					...percentiles(`${name}: vectors with a path filter`, series.withPathFilter, scan),
					...percentiles(`${name}: hybrid`, again.hybrid, scan),
					...percentiles(`${name}: from the file: text`, fromFile.text, fts),
					...percentiles(`${name}: from the file: vectors`, fromFile.vector, scan),
					...percentiles(`${name}: from the file: hybrid`, fromFile.hybrid, scan),
					figure(`${name}: recall@10 of vectors`, series.recallAt10, "fraction"),
				);
				details[name] = series;
				note(
					`${name}: hybrid p50 ${rounded(quantile(again.hybrid, 0.5))} ms, from the file ${rounded(quantile(fromFile.hybrid, 0.5))} ms, ` +
						`${scan.name} ${rounded(scan.value)}, recall@10 ${series.recallAt10}`,
				);
			}
		}
		return { figures, details };
	},
};

/** Search over many chunks, each part apart. */
async function run({ chunks, queries, vectors, peers, note }: VectorSearchOptions): Promise<VectorSearchSeries> {
	const model = MODELS[vectors];
	const folder = await mkdtemp(join(tmpdir(), "lode-search-bench-"));
	const path = join(folder, "vectors.db");
	const texts = vectors === "lexical" ? await realTexts() : generatedTexts();
	const provider = vectors === "lexical" ? createLexicalProvider() : clusteredProvider();
	const matrix = new Float32Array(chunks * DIMENSIONS);
	const stores: { close(): Promise<void> | void }[] = [];
	const open = (memoryBytes: number) => {
		const store = createSqliteVectorStore({ path, memoryBytes });
		stores.push(store);
		return store;
	};
	try {
		const bare = new DatabaseSync(join(folder, "bare.db"));
		stores.push(bare);
		bare.exec("PRAGMA journal_mode = WAL; CREATE VIRTUAL TABLE chunks USING fts5(text)");
		const insert = bare.prepare("INSERT INTO chunks (rowid, text) VALUES (?, ?)");
		let stageMs = 0;
		const writer = open(0);
		for (let at = 0; at < chunks; at += BATCH) {
			const batch = Array.from({ length: Math.min(BATCH, chunks - at) }, () => texts.chunk());
			const embedded = await provider.embed(batch);
			const records = batch.map((text, n) => record(at + n, model, text, embedded[n] as Float32Array));
			for (const [n, vector] of embedded.entries()) matrix.set(vector, (at + n) * DIMENSIONS);
			stageMs += (await timed(() => writer.stage(seqOf(at), records))).ms;
			bare.exec("BEGIN");
			for (const [n, text] of batch.entries()) insert.run(at + n, text);
			bare.exec("COMMIT");
			if ((at + BATCH) % 100_000 === 0) note(`${at + BATCH} chunks staged, ${rounded(stageMs / 1_000)} s`);
		}
		await writer.close();
		if (peers) await writeFile(join(folder, "vectors.f32"), new Uint8Array(matrix.buffer));
		// What the filter leaves out is no answer: its rows become zero.
		for (let row = 0; row < chunks; row += 1) {
			if (!isAsked(row)) matrix.fill(0, row * DIMENSIONS, (row + 1) * DIMENSIONS);
		}

		const questions = Array.from({ length: queries }, () => texts.question());
		const asked = await provider.embed(questions);
		const filter = { snapshot: SNAPSHOT, sources: SOURCES };
		const each = async (work: (question: string, vector: Float32Array) => unknown): Promise<number[]> => {
			const series: number[] = [];
			for (const [n, question] of questions.entries()) {
				series.push(rounded((await timed(() => work(question, asked[n] as Float32Array))).ms, 2));
			}
			return series;
		};
		const parts = async (store: VectorStore, found?: number[][]): Promise<Parts> => ({
			text: await each((question) => store.searchText(question, filter, 300)),
			vector: await each(async (_, query) => {
				const hits = await store.searchVector(model, query, filter, 10);
				found?.push(hits.map(({ ordinal }) => ordinal));
			}),
			hybrid: await each((question) =>
				searchChunks(
					{ vectors: store, provider: () => provider, existing: async () => [] },
					{ text: question, limit: 10 },
					filter,
				),
			),
		});
		const fromFile = await parts(open(0));
		const staying = open(MEMORY_BYTES);
		const ready = await timed(() => staying.ready());
		const found: number[][] = [];
		const fromMemory = await parts(staying, found);
		const again = await parts(staying);
		const match = bare.prepare("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rank LIMIT 10");
		const exact: Set<number>[] = [];
		const bareScan = await each((_, query) => exact.push(new Set(exactTop(matrix, query, 10))));
		const right = found.reduce((sum, rows, n) => sum + rows.filter((row) => exact[n]?.has(row)).length, 0);
		return {
			chunks,
			vectors,
			stageSeconds: rounded(stageMs / 1_000),
			fromFile,
			fromMemory,
			again,
			readySeconds: rounded(ready.ms / 1_000, 2),
			withPathFilter: await each((_, query) =>
				staying.searchVector(model, query, { ...filter, path: "src/1*/**" }, 10),
			),
			bareFts: await each((question) => match.all(anyWord(question))),
			bareScan,
			...(peers && { lance: await lanceSearch(folder, chunks, asked, note) }),
			recallAt10: rounded(right / (queries * 10), 3),
			residentMb: Math.round(process.memoryUsage().rss / 1e6),
		};
	} finally {
		for (const store of stores) await store.close();
		await rm(folder, { recursive: true, force: true, maxRetries: 5 });
	}
}

/** The seq that the row was added at. */
const seqOf = (row: number): number => 1 + Math.floor(row / BATCH) * 2;
const isAsked = (row: number): boolean => !SNAPSHOT.excluding.includes(seqOf(row)) && row % 5 < SOURCES.length;

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
