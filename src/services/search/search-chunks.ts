import { errorCode } from "../../domain/errors.js";
import { COMMIT_KIND } from "../../domain/mined-file.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import type { ChunkHit, FilePlace, SearchFilter, VectorStore } from "../../stores/vectors/vectors.port.js";
import { type FileKey, fileKey, placeOf, rankByHistory, touchedPaths } from "./file-history.js";
import { rankByPath } from "./file-paths.js";
import { type FileRanking, fuseRankings, type Ranking } from "./fuse-rankings.js";
import { PlaceMap } from "./place-map.js";
import { querySymbols } from "./query-symbols.js";

export interface SearchPorts {
	readonly vectors: VectorStore;
	/** Undefined where no configured provider serves the model: then its chunks are ranked by text alone. */
	readonly provider: (model: string) => Promise<EmbeddingProvider | undefined> | EmbeddingProvider | undefined;
	/** Which of these paths are files of the snapshot: the rest of a history is about files that are gone. */
	readonly existing: (snapshot: Snapshot, source: string, paths: readonly string[]) => Promise<readonly string[]>;
}

export interface SearchResult {
	/** Best first; scores 0..1, comparable within one answer only. */
	readonly hits: readonly ChunkHit[];
	/** The models whose vectors ranked, joined by `,`; "" where text alone did. */
	readonly model: string;
	/** Models in scope whose vectors did not rank, and why. */
	readonly unavailable: readonly { readonly model: string; readonly reason: string }[];
	/** What the question is in each model that ranked: to compare hits with it. */
	readonly vectors: ReadonlyMap<string, Float32Array>;
	/** How long embedding the question and the searches of vectors took, milliseconds. */
	readonly vectorMs: number;
}

/**
 * What a ranking is worth beside BM25 (1): chosen on commit histories (test/bench/retrieval.bench.ts). The built-in vectors know spelling
 * only, as BM25 does, so they may settle what it leaves open and no more.
 */
const LEXICAL_WEIGHT = 0.15;
/** Shorter texts (in characters) have fewer features, so whatever they share with a query gives them a higher cosine: damped by the root. */
const LEXICAL_FULL_LENGTH = 1_000;
const SEMANTIC_WEIGHT = 1;
/** Of a symbol that the query names beside other words. Where the query is a symbol's name, that symbol comes first whatever else ranks. */
const NAMED_WEIGHT = 0.5;
const ONLY_WEIGHT = 100;
/** So many earlier commits that say what the query says are asked for their files; so many of the files may come with no other reason. */
const SAID_BEFORE = 100;
const MAX_BY_HISTORY = 20;
/** Of a file whose path says what the query says. */
const PATH_WEIGHT = 0.2;
const MIN_DEPTH = 300;
const MAX_DEPTH = 3_000;
/** Texts longer than this are questions no more; models would cut them anyway. */
const MAX_QUERY = 8_000;

/** Full text, vectors of every model in scope, symbol names, paths and what earlier commits say of files, fused. Vectors of different models never mix. */
export async function searchChunks(
	ports: SearchPorts,
	query: { readonly text: string; readonly limit: number },
	filter: SearchFilter,
): Promise<SearchResult> {
	const { vectors } = ports;
	const text = query.text.slice(0, MAX_QUERY);
	if (text.trim() === "" || query.limit < 1)
		return { hits: [], model: "", unavailable: [], vectors: new Map(), vectorMs: 0 };
	const depth = Math.min(MAX_DEPTH, Math.max(MIN_DEPTH, query.limit * 6));
	// At once: on servers each is a request or several, and none needs another's answer but the built-in model's.
	const found = vectors.searchText(text, filter, depth);
	const { only } = querySymbols(text);
	const [hits, ofModels, ofSymbols, history] = await Promise.all([
		found,
		vectors
			.models(filter)
			.then((models) => Promise.all(models.map((model) => vectorRanking(ports, model, text, filter, depth, found)))),
		symbolRankings(vectors, text, filter, depth),
		fileHistory(ports, text, filter),
	]);
	const rankings: Ranking[] = [{ hits, weight: 1, from: "zero" }];
	const ranked: string[] = [];
	const unavailable: { model: string; reason: string }[] = [];
	const queries = new Map<string, Float32Array>();
	let vectorMs = 0;
	for (const { model, ranking, vector, ms } of ofModels) {
		vectorMs = Math.max(vectorMs, ms);
		if (typeof ranking === "string") unavailable.push({ model, reason: ranking });
		else {
			rankings.push(ranking);
			ranked.push(model);
			if (vector !== undefined) queries.set(model, vector);
		}
	}
	rankings.push(...ofSymbols);
	// A name is looked for where it stands; what is said of files does not come before that.
	const named = only !== undefined && ofSymbols.some(({ hits }) => hits.length > 0);
	const { ofFiles, others } = named
		? { ofFiles: [], others: [] }
		: await rankFiles(ports, text, filter, rankings, history);
	const fused = fuseRankings(rankings, query.limit, ofFiles, others);
	return { hits: fused, model: ranked.join(","), unavailable, vectors: queries, vectorMs };
}

/** Files by what earlier commits say of them. */
async function fileHistory(
	{ vectors, existing }: SearchPorts,
	text: string,
	{ snapshot, sources }: SearchFilter,
): Promise<ReadonlyMap<FileKey, number>> {
	const commits = await vectors.searchText(text, { snapshot, sources, kinds: [COMMIT_KIND] }, SAID_BEFORE);
	const touched = new Map<string, Set<string>>();
	for (const hit of commits) {
		const paths = touched.get(hit.source) ?? new Set();
		touched.set(hit.source, paths);
		for (const path of touchedPaths(hit)) paths.add(path);
	}
	const present = new Set<FileKey>();
	await Promise.all(
		[...touched].map(async ([source, paths]) => {
			for (const path of await existing(snapshot, source, [...paths])) present.add(fileKey({ source, path }));
		}),
	);
	return rankByHistory(commits, (file) => present.has(file));
}

/** What is known of whole files, and a chunk of each that the history names and no ranking of chunks found. */
async function rankFiles(
	{ vectors }: SearchPorts,
	text: string,
	filter: SearchFilter,
	rankings: readonly Ranking[],
	history: ReadonlyMap<FileKey, number>,
): Promise<{ ofFiles: FileRanking[]; others: ChunkHit[] }> {
	const found = new PlaceMap<FilePlace>();
	for (const { hits } of rankings) for (const hit of hits) found.of(hit, () => hit);
	const missing = [...history]
		.filter(([file]) => found.get(placeOf(file)) === undefined)
		.sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || (a < b ? -1 : 1))
		.slice(0, MAX_BY_HISTORY)
		.map(([file]) => placeOf(file));
	const others = missing.length === 0 ? [] : await vectors.firstChunks(filter, missing);
	const paths = rankByPath(text, [...found.all, ...others]);
	return {
		ofFiles: [
			{ scores: history, weight: 1 },
			{ scores: paths, weight: PATH_WEIGHT },
		],
		others,
	};
}

/** How a model's vectors rank, or why they do not. */
async function vectorRanking(
	ports: SearchPorts,
	model: string,
	text: string,
	filter: SearchFilter,
	depth: number,
	found: Promise<readonly ChunkHit[]>,
): Promise<{ model: string; ranking: Ranking | string; vector?: Float32Array; ms: number }> {
	let started = performance.now();
	const taken = () => performance.now() - started;
	const embedded = await embedQuery(ports, model, text);
	if (typeof embedded === "string") return { model, ranking: embedded, ms: taken() };
	const { provider, vector } = embedded;
	if (provider.name !== "lexical") {
		const hits = await ports.vectors.searchVector(model, vector, filter, depth);
		return { model, vector, ms: taken(), ranking: { hits, weight: SEMANTIC_WEIGHT, from: "last" } };
	}
	// It knows spelling, as full text does: where that found plenty, an exact scan of all vectors would find no others.
	const embeddedIn = taken();
	const byText = await found;
	// The time of the text search is not that of the vectors.
	started = performance.now() - embeddedIn;
	const hits =
		byText.length >= depth
			? await rerank(
					ports.vectors,
					provider,
					model,
					vector,
					byText.filter((hit) => hit.model === model),
				)
			: await ports.vectors.searchVector(model, vector, filter, depth);
	return { model, vector, ms: taken(), ranking: { hits: dampShort(hits), weight: LEXICAL_WEIGHT, from: "zero" } };
}

async function symbolRankings(
	vectors: VectorStore,
	text: string,
	filter: SearchFilter,
	depth: number,
): Promise<Ranking[]> {
	const { only, named } = querySymbols(text);
	const names = only === undefined ? named : [only];
	return Promise.all(
		names.map(async (name): Promise<Ranking> => {
			const found = await vectors.searchSymbol(name, filter, depth);
			// `send` itself before `Client.send`.
			const hits = found
				.map((hit) => ({ ...hit, score: hit.symbol === name ? 1 : 0.9 }))
				.sort((a, b) => b.score - a.score);
			return { hits, weight: only === undefined ? NAMED_WEIGHT : ONLY_WEIGHT, from: "zero" };
		}),
	);
}

function dampShort(hits: readonly ChunkHit[]): ChunkHit[] {
	return hits
		.map((hit) => ({ ...hit, score: hit.score * Math.sqrt(Math.min(1, hit.text.length / LEXICAL_FULL_LENGTH)) }))
		.sort((a, b) => b.score - a.score);
}

/** The same hits by cosine similarity. Where their vectors are not at hand, embedding their texts again is cheap with the built-in model alone. */
async function rerank(
	store: VectorStore,
	provider: EmbeddingProvider,
	model: string,
	query: Float32Array,
	hits: readonly ChunkHit[],
): Promise<ChunkHit[]> {
	const stored = await store.similarities(model, query, hits);
	if (stored !== undefined) return hits.map((hit) => ({ ...hit, score: stored.get(hit.id) ?? 0 }));
	const vectors = await provider.embed(hits.map(({ text }) => text));
	return hits.map((hit, index) => ({ ...hit, score: dot(query, vectors[index] as Float32Array) }));
}

function dot(a: Float32Array, b: Float32Array): number {
	let sum = 0;
	for (let at = 0; at < a.length; at += 1) sum += (a[at] as number) * (b[at] as number);
	return sum;
}

/** The query's vector and who made it, or why there is none. */
async function embedQuery(
	ports: SearchPorts,
	model: string,
	text: string,
): Promise<{ provider: EmbeddingProvider; vector: Float32Array } | string> {
	try {
		const provider = await ports.provider(model);
		if (!provider) return "no configured provider serves it";
		const served = (await provider.model()).id;
		if (served !== model) return `the provider serves ${served}`;
		const [vector] = await provider.embed([text]);
		return vector ? { provider, vector } : "the provider gave no vector";
	} catch (error) {
		const code = errorCode(error);
		if (code === undefined || !(code.startsWith("EMBEDDING_") || code === "MODEL_MISMATCH")) throw error;
		return (error as Error).message;
	}
}
