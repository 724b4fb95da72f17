import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pLimit from "p-limit";
import { loadConfig } from "../../src/config/config.js";
import type { LodeReader } from "../../src/services/lode.js";
import { openReader } from "../../src/wiring.js";
import { ApiProcess } from "../support/api-process.js";
import { DevProcess, lodeJson } from "../support/lode-process.js";
import type { Bench, Figure } from "./bench.js";
import { openCorpus } from "./corpora.js";
import { exactTop } from "./exact-search.js";
import { type LoadRequest, sendAll } from "./http-load.js";
import { figure, quantile, timed } from "./measuring.js";
import { LEXICAL } from "./running-lode.js";

/** What is asked: ten hits of text, vectors and symbols together, of the newest snapshot, told as an event like any search. */
const HITS = 10;
const CONNECTIONS = [1, 64] as const;
const WARM_UP = 50;

interface Ways {
	readonly [way: string]: (connections: number) => Promise<readonly number[]>;
}

/** The same questions through the API's two forms and in process, and to a bare engine of the same chunks. */
export const apiSearch: Bench = {
	summary:
		"search through GraphQL and REST by 1 and 64 connections, and 200 while commits come, beside the same in process and a bare engine",
	async run({ full, note }) {
		const corpus = await openCorpus("httpx");
		const home = await mkdtemp(join(tmpdir(), "lode-api-bench-"));
		const closing: (() => Promise<unknown> | unknown)[] = [
			() => rm(home, { recursive: true, force: true, maxRetries: 5 }),
		];
		closing.unshift(() => corpus.remove());
		try {
			const dev = await DevProcess.start(home, LEXICAL);
			closing.unshift(() => dev.stop());
			await lodeJson(home, ["ingest", corpus.path], LEXICAL);
			const api = await ApiProcess.start(home, { ...LEXICAL, LODE_LOG_LEVEL: "error" });
			closing.unshift(() => api.stop());
			const { config } = loadConfig({ env: { LODE_HOME: home, ...LEXICAL }, cwd: home });
			const reader = await openReader(config);
			closing.unshift(() => reader.close());
			const bare = openBareEngine(await vectorsFile(home));
			closing.unshift(() => bare.close());

			const questions = bare.questions(full ? 2_000 : 400);
			const ways: Ways = {
				GraphQL: async (n) => (await sendAll(api, questions.map(graphql), n)).series,
				REST: async (n) => (await sendAll(api, questions.map(rest), n)).series,
				"in process": (n) => inProcess(reader, questions, n),
				"bare engine": async () => questions.map((question) => bare.search(question)),
			};
			await sendAll(api, questions.slice(0, WARM_UP).map(graphql), 4);
			await sendAll(api, questions.slice(0, WARM_UP).map(rest), 4);
			await inProcess(reader, questions.slice(0, WARM_UP), 4);
			const figures: Figure[] = [];
			for (const connections of CONNECTIONS) {
				const taken: Record<string, readonly number[]> = {};
				for (const [way, ask] of Object.entries(ways)) taken[way] = await ask(connections);
				figures.push(...figuresOf(taken, connections));
			}
			figures.push(...(await underIngestion(home, api, questions.map(rest))));
			note(figures.map(({ name, value }) => `${name} ${value} ms`).join("; "));
			return { figures, details: { chunks: bare.chunks, questions: questions.length } };
		} finally {
			for (const close of closing) await close();
		}
	},
};

/** 200 searches at a time while another repository is ingested, first to last: any answer but 200 ends the bench. */
async function underIngestion(home: string, api: ApiProcess, requests: readonly LoadRequest[]): Promise<Figure[]> {
	const other = await openCorpus("samples-typescript");
	try {
		let running = true;
		const ingestion = lodeJson(home, ["ingest", other.path], LEXICAL).finally(() => {
			running = false;
		});
		const series: number[] = [];
		while (running) series.push(...(await sendAll(api, requests.slice(0, 400), 200)).series);
		await ingestion;
		return [0.5, 0.95, 0.99].map((part) =>
			figure(
				`search, REST, 200 at a time under an ingestion, p${Math.round(part * 100)}`,
				quantile(series, part),
				"ms",
			),
		);
	} finally {
		await other.remove();
	}
}

/** Each way's p50, p95 and p99; the API's beside the in-process ones, which stand beside the bare engine's. */
function figuresOf(taken: Readonly<Record<string, readonly number[]>>, connections: number): Figure[] {
	const at = (way: string, part: number) => quantile(taken[way] ?? [], part);
	return [0.5, 0.95, 0.99].flatMap((part) =>
		Object.keys(taken).map((way) => {
			const beside = way === "in process" ? "bare engine" : "in process";
			return figure(
				`search, ${way}, ${connections} at a time, p${Math.round(part * 100)}`,
				at(way, part),
				"ms",
				way === "bare engine" ? undefined : { name: `${beside}, ms`, value: at(beside, part) },
			);
		}),
	);
}

const rest = (question: string): LoadRequest => ({
	path: `/api/v1/search?q=${encodeURIComponent(question)}&limit=${HITS}`,
	headers: {},
});

const QUERY =
	"query ($text: String!, $first: Int) { search(text: $text, first: $first) { hits { path startLine endLine score text } } }";

function graphql(question: string): LoadRequest {
	const body = JSON.stringify({ query: QUERY, variables: { text: question, first: HITS } });
	return { path: "/graphql", headers: { "content-type": "application/json" }, body };
}

function inProcess(reader: LodeReader, questions: readonly string[], connections: number): Promise<number[]> {
	const limit = pLimit(connections);
	return Promise.all(
		questions.map((text) => limit(async () => (await timed(() => reader.search({ text, limit: HITS }))).ms)),
	);
}

async function vectorsFile(home: string): Promise<string> {
	const name = (await readdir(home, { recursive: true })).find((file) => file.endsWith("vectors.db"));
	if (name === undefined) throw new Error(`no vectors.db below ${home}`);
	return join(home, name);
}

interface BareEngine {
	readonly chunks: number;
	questions(count: number): string[];
	/** Milliseconds for the ten best of a plain FTS5 table and the ten best dot products, with nothing around them. */
	search(question: string): number;
	close(): void;
}

/** FTS5 and a scan in memory over the texts that Lode holds: no snapshot, no filter, no fusion, no event. */
function openBareEngine(vectors: string): BareEngine {
	const held = new DatabaseSync(vectors, { readOnly: true });
	const texts = (held.prepare("SELECT text FROM content ORDER BY id").all() as { text: string }[]).map(
		({ text }) => text,
	);
	held.close();
	const bare = new DatabaseSync(":memory:");
	bare.exec("CREATE VIRTUAL TABLE chunks USING fts5(text)");
	const insert = bare.prepare("INSERT INTO chunks (text) VALUES (?)");
	for (const text of texts) insert.run(text);
	const match = bare.prepare("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rank LIMIT 10");
	const matrix = new Float32Array(texts.length * 384).map((_, n) => Math.sin(n * 12.9898));
	return {
		chunks: texts.length,
		questions: (count) =>
			Array.from({ length: count }, (_, n) => questionOf(texts[(n * 7_919) % texts.length] as string, n)),
		search(question) {
			const started = performance.now();
			match.all(
				words(question)
					.map((word) => `"${word}"`)
					.join(" OR "),
			);
			exactTop(matrix, matrix.subarray(0, 384), 10);
			return performance.now() - started;
		},
		close: () => bare.close(),
	};
}

const words = (text: string) => text.match(/[A-Za-z]{3,}/g) ?? ["client"];

/** Five words that stand beside each other in a chunk. */
function questionOf(text: string, number: number): string {
	const all = words(text);
	const from = number % Math.max(1, all.length - 5);
	return all.slice(from, from + 5).join(" ");
}
