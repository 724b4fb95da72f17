import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommitInfo } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import { fileOrigin } from "../../domain/keys.js";
import type { ChunkRecord } from "../../domain/mined-file.js";
import type { EmbeddingProvider } from "../../embeddings/embedding.port.js";
import { createLexicalProvider } from "../../embeddings/lexical/lexical-provider.js";
import { commitText } from "../../mining/commits/commit-text.js";
import { createSqliteVectorStore } from "../../stores/vectors/sqlite/sqlite-vectors.adapter.js";
import type { ChunkHit, VectorStore } from "../../stores/vectors/vectors.port.js";
import { fuseRankings } from "./fuse-rankings.js";
import { querySymbols } from "./query-symbols.js";
import { searchChunks } from "./search-chunks.js";

const snapshot = { number: 1, seq: 1, excluding: [], publishedAt: "2026-01-01T00:00:00.000Z" };
const lexical = createLexicalProvider();

/** A model that knows meaning, as far as these tests need it: it puts texts about money in one direction. */
const semantic: EmbeddingProvider = {
	name: "openai",
	maxBatch: 8,
	maxConcurrency: 1,
	model: async () => ({ id: "openai/money-2", dimensions: 2 }),
	embed: async (texts) =>
		texts.map((text) => (/invoice|billing/.test(text) ? Float32Array.of(1, 0) : Float32Array.of(0.8, 0.6))),
	close: async () => {},
};

async function chunk(path: string, text: string, more: Partial<ChunkRecord> = {}): Promise<ChunkRecord> {
	const [vector] = await lexical.embed([text]);
	return {
		source: "s",
		group: "default",
		model: "lexical-v1-384",
		origin: fileOrigin(path),
		path,
		ordinal: 0,
		kind: "function",
		startLine: 1,
		endLine: 5,
		text,
		vector: vector as Float32Array,
		...more,
	};
}

const commit = (sha: string, subject: string, paths: readonly string[]): CommitInfo => ({
	...{ sha, subject, paths, parents: [], authorName: "", authorEmail: "", authoredAt: "2026-01-01T00:00:00.000Z" },
});

/** Real: the SQLite store and the lexical embedding. */
describe("searchChunks", () => {
	let vectors: VectorStore;
	beforeAll(async () => {
		vectors = createSqliteVectorStore({ path: ":memory:" });
		const talk = "send the request, then send it again and send the request once more: send request";
		await vectors.stage(1, [
			await chunk("docs/sending.md", talk),
			await chunk("src/client.ts", "function body of the client", { symbol: "Client.send" }),
			await chunk("src/send.ts", "something else", { symbol: "send" }),
			await chunk("src/pool.ts", "the maxKeepaliveConnections of a connection pool", { symbol: "Pool" }),
			...(await Promise.all(
				Array.from({ length: 12 }, (_, n) => chunk("src/big.ts", `timeout of request number ${n}`, { ordinal: n })),
			)),
			await chunk("src/other.ts", "a timeout elsewhere in the code of another module with more words"),
			await chunk("pay/a.ts", "issue the invoice", {
				group: "pay",
				model: "openai/money-2",
				vector: Float32Array.of(1, 0),
			}),
			await chunk("pay/b.ts", "walk the dog", {
				group: "pay",
				model: "openai/money-2",
				vector: Float32Array.of(0.8, 0.6),
			}),
		]);
	});
	afterAll(() => vectors.close());

	const providers: Record<string, EmbeddingProvider> = { "lexical-v1-384": lexical, "openai/money-2": semantic };
	const search = (
		text: string,
		limit = 10,
		provider = (model: string): EmbeddingProvider | undefined => providers[model],
	) =>
		searchChunks(
			{ vectors, provider, existing: async (_, __, paths) => paths.filter((path) => !path.startsWith("gone/")) },
			{ text, limit },
			{ snapshot },
		);
	const paths = async (text: string, limit = 10) => (await search(text, limit)).hits.map(({ path }) => path);

	it("puts symbols of exactly the asked name first, however often others mention it", async () => {
		expect((await paths("send")).slice(0, 3)).toEqual(["src/send.ts", "src/client.ts", "docs/sending.md"]);
		expect((await paths("Client.send"))[0]).toBe("src/client.ts");
		expect((await paths("send()"))[0]).toBe("src/send.ts");
		expect((await paths("send request"))[0]).toBe("docs/sending.md");
	});

	it("finds a file by what earlier commits said when they touched it, and none that is gone", async () => {
		const before = await paths("quench the thirsty gopher");
		await vectors.stage(1, [
			...commitText("s", commit("c1", "Quench the gopher", ["src/pool.ts", "gone/a.ts"])),
			...commitText("s", commit("c2", "Quench thirsty gophers again", ["src/pool.ts"])),
			...commitText("s", commit("c3", "Talk of docs", ["docs/sending.md"])),
		]);
		expect(before[0]).not.toBe("src/pool.ts");
		expect((await paths("quench the thirsty gopher"))[0]).toBe("src/pool.ts");
		// What commits say is no hit of its own, and a name comes before it.
		expect((await search("quench")).hits.map(({ kind }) => kind)).not.toContain("commit");
		expect((await paths("send"))[0]).toBe("src/send.ts");
	});

	it("finds identifiers by their parts", async () => {
		expect((await paths("keepalive connection"))[0]).toBe("src/pool.ts");
	});

	it("finds by meaning what shares no word, with the model of each group", async () => {
		const { hits, model, unavailable } = await search("billing");
		expect(hits[0]?.path).toBe("pay/a.ts");
		expect(model).toBe("lexical-v1-384,openai/money-2");
		expect(unavailable).toEqual([]);
	});

	it("leaves no place to one file alone while others match", async () => {
		const found = await paths("timeout", 5);
		expect(found.filter((path) => path === "src/big.ts")).toHaveLength(3);
		expect(found).toContain("src/other.ts");
		expect((await paths("timeout of request number", 30)).filter((path) => path === "src/big.ts")).toHaveLength(12);
	});

	it("gives scores from 1 downwards, and the same answer to the same question", async () => {
		const { hits } = await search("request timeout", 30);
		expect(hits[0]?.score).toBe(1);
		for (const [index, { score }] of hits.entries()) {
			expect(score).toBeGreaterThan(0);
			expect(score).toBeLessThanOrEqual(hits[index - 1]?.score ?? 1);
		}
		expect((await search("request timeout", 30)).hits).toEqual(hits);
		expect(hits.slice(0, 3)).toEqual((await search("request timeout", 30)).hits.slice(0, 3));
	});

	it("answers by text alone where a model is out of reach, and says so", async () => {
		const down: EmbeddingProvider = {
			...semantic,
			embed: async () => {
				throw new LodeError("EMBEDDING_UNAVAILABLE", "the endpoint is down");
			},
		};
		const { hits, model, unavailable } = await search("invoice", 5, (id) =>
			id === "openai/money-2" ? down : undefined,
		);
		expect(hits.map(({ path }) => path)).toEqual(["pay/a.ts"]);
		expect(model).toBe("");
		expect(unavailable).toEqual([
			{ model: "lexical-v1-384", reason: "no configured provider serves it" },
			{ model: "openai/money-2", reason: "the endpoint is down" },
		]);
		const other = await search("invoice", 5, () => semantic);
		expect(other.unavailable).toEqual([{ model: "lexical-v1-384", reason: "the provider serves openai/money-2" }]);
		const bug = { ...semantic, embed: () => Promise.reject(new Error("bug")) };
		await expect(search("invoice", 5, () => bug)).rejects.toThrow("bug");
	});

	it("takes any text", async () => {
		for (const text of [
			"",
			"  ",
			'"',
			"a".repeat(50_000),
			"send ".repeat(20_000),
			"`".repeat(1000),
			"a.".repeat(9_000),
		]) {
			await search(text);
		}
		expect((await search("send", 0)).hits).toEqual([]);
	});
});

describe("querySymbols", () => {
	it("knows a name when it is alone, and words written like code among others", () => {
		expect(querySymbols("send")).toEqual({ only: "send", named: [] });
		expect(querySymbols(" `Client.send` ").only).toBe("Client.send");
		expect(querySymbols("fix readTimeout in parse_url and `send` of http.Client, then close()").named).toEqual([
			"readTimeout",
			"parse_url",
			"send",
			"http.Client",
			"close",
		]);
		expect(querySymbols("how does the client handle redirects").named).toEqual([]);
		expect(querySymbols("how does it work").only).toBeUndefined();
	});
});

describe("fuseRankings", () => {
	const hit = (path: string, score: number, ordinal = 0): ChunkHit => ({
		addedAt: 1,
		id: `${path}#${ordinal}`,
		source: "s",
		group: "default",
		model: "m",
		origin: fileOrigin(path),
		path,
		ordinal,
		kind: "text",
		startLine: 1,
		endLine: 1,
		text: "",
		score,
	});

	it("does not let a weak ranking outvote a clear answer of a strong one", () => {
		const strong = { hits: [hit("right", 20), hit("x", 4), hit("y", 3)], weight: 1, from: "zero" as const };
		const weak = { hits: [hit("y", 0.9), hit("x", 0.8), hit("right", 0.1)], weight: 0.2, from: "zero" as const };
		expect(fuseRankings([strong, weak], 3).map(({ path }) => path)).toEqual(["right", "x", "y"]);
	});

	it("counts cosines from the last candidate on", () => {
		const hits = [hit("a", 0.82), hit("b", 0.81), hit("c", 0.8)];
		const scores = fuseRankings([{ hits, weight: 1, from: "last" }], 3).map(({ score }) => Number(score.toFixed(3)));
		expect(scores).toEqual([1, 0.5]);
	});

	it("takes rankings that are empty, equal or negative", () => {
		expect(fuseRankings([], 5)).toEqual([]);
		expect(fuseRankings([{ hits: [], weight: 1, from: "zero" }], 5)).toEqual([]);
		const equal = { hits: [hit("b", 0.5), hit("a", 0.5)], weight: 1, from: "last" as const };
		expect(fuseRankings([equal], 5).map(({ path, score }) => [path, score])).toEqual([
			["a", 1],
			["b", 1],
		]);
		expect(fuseRankings([{ hits: [hit("a", -0.5)], weight: 1, from: "zero" }], 5)).toEqual([]);
	});
});
