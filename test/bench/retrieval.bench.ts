import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileOrigin } from "../../src/domain/keys.js";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import type { EmbeddingProvider } from "../../src/embeddings/embedding.port.js";
import { createLexicalProvider } from "../../src/embeddings/lexical/lexical-provider.js";
import { commitText } from "../../src/mining/commits/commit-text.js";
import { mineFile } from "../../src/mining/mine-file.js";
import { searchChunks } from "../../src/services/search/search-chunks.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import type { Bench, Figure } from "./bench.js";
import { CORPORA, openCorpus } from "./corpora.js";
import { figure } from "./measuring.js";

/**
 * Which files will a commit touch, given only its subject? The state searched is the commit `back` first-parent steps before HEAD; the queries
 * are subjects of later commits that touch one to five text files of that state. Figures: recall@10 over files, mean reciprocal rank.
 */
export interface RetrievalOptions {
	/** Git directories with history. */
	readonly repositories: readonly string[];
	readonly back?: number;
	readonly queries?: number;
	readonly chunkSize?: number;
	readonly overlap?: number;
	/** 0: from the file, as a command does; else as a process that stays does. */
	readonly memoryBytes?: number;
}

export interface RetrievalFigures {
	readonly repository: string;
	readonly back: number;
	readonly files: number;
	readonly chunks: number;
	readonly queries: number;
	readonly recallAt10: number;
	readonly mrr: number;
}

const SNAPSHOT = { number: 1, seq: 1, excluding: [], publishedAt: "2026-01-01T00:00:00.000Z" };
const NO_CONTENT = /\b(bump|release|merge|revert|changelog|version|deps|typo)\b/i;

export const retrieval: Bench = {
	summary:
		"search quality on real history: recall@10 and MRR of the files that a later commit touches, given its subject",
	async run({ full, note }) {
		const found: Figure[] = [];
		const details: Record<string, unknown> = {};
		for (const name of full ? CORPORA : CORPORA.slice(0, 1)) {
			const corpus = await openCorpus(name);
			try {
				// A generated history has no subjects that mean anything.
				if (!corpus.real) {
					note(`${name}: left out, its bundle is not here`);
					continue;
				}
				const { figures } = await run({ repositories: [corpus.path] });
				for (const each of figures) {
					found.push(figure(`recall@10 on ${name}`, each.recallAt10, "fraction"));
					found.push(figure(`MRR on ${name}`, each.mrr, "fraction"));
					details[name] = each;
					note(`${name}: recall@10 ${each.recallAt10}, MRR ${each.mrr}`);
				}
			} finally {
				await corpus.remove();
			}
		}
		return { figures: found, details };
	},
};

export async function run(options: RetrievalOptions): Promise<{ figures: RetrievalFigures[] }> {
	const figures: RetrievalFigures[] = [];
	for (const repository of options.repositories) figures.push(await measure(repository, options));
	return { figures };
}

async function measure(repository: string, options: RetrievalOptions): Promise<RetrievalFigures> {
	const { back = 300, queries: bound = 150, chunkSize = 1_200, overlap = 150, memoryBytes = 2 ** 28 } = options;
	const git = (...args: string[]) => execFileSync("git", ["-C", repository, ...args], { maxBuffer: 1 << 30 });
	const base = git("rev-list", "--first-parent", `--skip=${back}`, "-n1", "HEAD").toString().trim();
	const files = new Map<string, string>();
	for (const line of git("ls-tree", "-r", "-l", base).toString().split("\n")) {
		const [meta = "", path = ""] = line.split("\t");
		const [, type, blob = "", size] = meta.split(/\s+/);
		if (type === "blob" && Number(size) <= 1 << 20) files.set(path, blob);
	}
	const queries = readQueries(git, base, files).slice(0, bound);

	const folder = await mkdtemp(join(tmpdir(), "lode-retrieval-"));
	const store = createSqliteVectorStore({ path: join(folder, "vectors.db"), memoryBytes });
	try {
		const provider = createLexicalProvider();
		let chunks = 0;
		for (const [path, blob] of files) {
			const bytes = git("cat-file", "blob", blob);
			const mined = await mineFile({ source: "bench", path, bytes, mode: "file" }, { chunkSize, overlap });
			const vectors = await provider.embed(mined.chunks.map(({ text }) => text));
			const records = mined.chunks.map(
				(chunk, index): ChunkRecord => ({
					...chunk,
					source: "bench",
					group: "default",
					model: "lexical-v1-384",
					origin: fileOrigin(path),
					path,
					language: mined.language,
					vector: vectors[index] as Float32Array,
				}),
			);
			await store.stage(1, records);
			chunks += records.length;
		}
		await store.stage(1, readHistory(git, base));
		if (memoryBytes > 0) await store.ready();
		const ranked: [Set<string>, string[]][] = [];
		for (const { subject, touched } of queries) {
			ranked.push([touched, await rankFiles(store, provider, files, subject)]);
		}
		const mean = (value: (touched: Set<string>, paths: string[]) => number) =>
			Number((ranked.reduce((sum, each) => sum + value(...each), 0) / ranked.length).toFixed(3));
		return {
			repository: basename(repository),
			back,
			files: files.size,
			chunks,
			queries: queries.length,
			recallAt10: mean(
				(touched, paths) => paths.slice(0, 10).filter((path) => touched.has(path)).length / touched.size,
			),
			mrr: mean((touched, paths) => {
				const first = paths.findIndex((path) => touched.has(path));
				return first < 0 ? 0 : 1 / (first + 1);
			}),
		};
	} finally {
		await store.close();
		await rm(folder, { recursive: true, force: true });
	}
}

async function rankFiles(
	vectors: ReturnType<typeof createSqliteVectorStore>,
	provider: EmbeddingProvider,
	files: ReadonlyMap<string, string>,
	text: string,
): Promise<string[]> {
	const { hits } = await searchChunks(
		{ vectors, provider: () => provider, existing: async (_, __, paths) => paths.filter((path) => files.has(path)) },
		{ text, limit: 50 },
		{ snapshot: SNAPSHOT },
	);
	return [...new Set(hits.map(({ path }) => path))];
}

/** What the commits up to the state say and touched, as an ingestion of it records them. */
function readHistory(git: (...args: string[]) => Buffer, base: string): ChunkRecord[] {
	const log = git("log", "--format=%x01%H%x02%s", "--name-only", "--no-renames", base).toString();
	const nobody = { parents: [], authorName: "", authorEmail: "", authoredAt: "" };
	return log
		.split("\x01")
		.slice(1)
		.flatMap((commit) => {
			const [head = "", ...rest] = commit.trim().split("\n");
			const [sha = "", subject = ""] = head.split("\x02");
			return commitText("bench", { ...nobody, sha, subject, paths: rest.filter((path) => path !== "") });
		});
}

function readQueries(
	git: (...args: string[]) => Buffer,
	base: string,
	files: ReadonlyMap<string, string>,
): { subject: string; touched: Set<string> }[] {
	const log = git("log", "--no-merges", "--format=%x01%H%x02%s", "--name-only", "--no-renames", `${base}..HEAD`);
	return log
		.toString()
		.split("\x01")
		.slice(1)
		.flatMap((commit) => {
			const [head = "", ...rest] = commit.trim().split("\n");
			const subject = (head.split("\x02")[1] ?? "").replace(/\(#\d+\)/g, "").trim();
			const touched = rest.filter((path) => path !== "");
			const known = touched.every((path) => files.has(path));
			const telling = subject.split(/\s+/).length >= 4 && !NO_CONTENT.test(subject);
			return known && telling && touched.length >= 1 && touched.length <= 5
				? [{ subject, touched: new Set(touched) }]
				: [];
		});
}
