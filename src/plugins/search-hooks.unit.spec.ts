import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LodeReader } from "../services/lode.js";
import type { SearchHit, SearchQuery, SearchReport } from "../services/reports.js";
import { PluginFolder } from "./plugins.fixture.js";
import { withSearchHooks } from "./search-hooks.js";

const HITS = ["a", "b", "c"].map(
	(path): SearchHit => ({
		...{ source: "s", commit: "c", path, startLine: 1, endLine: 1, kind: "text", symbol: null, score: 1 },
		...{
			text: path,
			id: path,
			group: "default",
			ordinal: 0,
			language: null,
			model: "m",
			certainty: null,
			highlights: [],
		},
	}),
);

/** Real plugins in real threads; the search itself is played: it remembers what it was asked. */
describe("search hooks", () => {
	let folder: PluginFolder;
	beforeAll(async () => {
		folder = await PluginFolder.create();
	});
	afterEach(() => folder.close());
	afterAll(() => folder.remove());

	const query: SearchQuery = { text: "words", limit: 10, path: "src/**", kinds: ["text"], source: "s", at: "1" };
	async function searching(entries: readonly string[], asked: SearchQuery[] = [], more: Partial<SearchReport> = {}) {
		const search = async (one: SearchQuery) => {
			asked.push(one);
			return { snapshot: 1, model: "m", tookMs: 1, hits: HITS, ...more };
		};
		const reader = { search, close: async () => {} } as Partial<LodeReader> as LodeReader;
		return withSearchHooks(reader, await folder.load(entries));
	}

	it("rewrite the query, then re-order, drop and annotate hits, in order", async () => {
		const first = await folder.plugin(
			"first",
			`beforeSearch({ text, source, at }) { return { text: text + " " + source + at, path: null, limit: 5 }; },
			afterSearch({ hits }) { return { hits: [{ index: 2, annotation: { was: hits[2].path } }, { index: 0 }] }; }`,
		);
		const second = await folder.plugin(
			"second",
			`beforeSearch({ text, path }) { return { text: text + "!" + path, kinds: ["function"] }; },
			afterSearch({ hits, query }) { return { hits: hits.map((_, n) => ({ index: hits.length - 1 - n, annotation: { limit: query.limit } })) }; }`,
		);
		const asked: SearchQuery[] = [];
		const report = await (await searching([first, second], asked)).search(query);
		expect(asked).toEqual([{ text: "words s1!undefined", limit: 5, kinds: ["function"], source: "s", at: "1" }]);
		expect(report.hits).toEqual([
			{ ...HITS[0], annotations: { second: { limit: 5 } } },
			{ ...HITS[2], annotations: { first: { was: "c" }, second: { limit: 5 } } },
		]);
		expect(report).not.toHaveProperty("pluginProblems");
	});

	it("leave the groups of hits in agreement with the hits", async () => {
		const moves = await folder.plugin(
			"moves",
			"afterSearch({ hits }) { return { hits: [{ index: 2 }, { index: 0 }] }; }",
		);
		const hits = HITS.map((hit, at) => ({ ...hit, score: 1 - at / 10 }));
		const group = (key: string, score: number, ...at: number[]) => ({ key, source: "s", score, hits: at });
		const groups = [group("x", 1, 0, 2), group("y", 0.9, 1)];
		const apart = [group("x", 1, 0), group("y", 0.9, 1), group("z", 0.8, 2)];
		expect(await (await searching([moves], [], { hits, groups })).search(query)).toMatchObject({
			hits: [{ path: "c" }, { path: "a" }],
			groups: [group("x", 0.8, 0, 1)],
		});
		const report = await (await searching([moves], [], { hits, groups: apart })).search(query);
		expect(report.groups).toEqual([group("z", 0.8, 0), group("x", 1, 1)]);
	});

	it("rewrite no words of a search that has none", async () => {
		const words = await folder.plugin("words", "beforeSearch({ text }) { return { text: text + '!' }; }");
		const same = await folder.plugin("same", "beforeSearch({ text }) { return { text: text.replace('a', 'b') }; }");
		const asked: SearchQuery[] = [];
		const report = await (await searching([words, same], asked)).search({ text: "", like: "src/a.ts", limit: 3 });
		expect(asked).toEqual([{ text: "", like: "src/a.ts", limit: 3 }]);
		expect(report).not.toHaveProperty("pluginProblems");
	});

	const HOSTILE: readonly (readonly [name: string, hook: string, problem: RegExp])[] = [
		["throws", "afterSearch() { throw new RangeError('token'); }", /^throws: afterSearch threw RangeError$/],
		["hangs", "beforeSearch() { for (;;) {} }", /^hangs: beforeSearch did not come to an end within 200 ms$/],
		["exits", "afterSearch() { process.exit(1); }", /^exits: afterSearch ended its thread$/],
		["invents", "afterSearch() { return { hits: [{ index: 3 }] }; }", /names a hit that is not there$/],
		["repeats", "afterSearch() { return { hits: [{ index: 1 }, { index: 1 }] }; }", /names a hit twice$/],
		["hits", "afterSearch({ hits }) { return { hits }; }", /returned what it may not/],
		["text", "beforeSearch() { return { text: 7 }; }", /returned what it may not: text/],
		["where", "beforeSearch() { return { source: 'other' }; }", /returned what it may not: .*source/],
		["wide", "beforeSearch() { return { limit: 1e9 }; }", /returned what it may not: limit/],
		[
			"huge",
			"afterSearch() { return { hits: [{ index: 0, annotation: { a: 'x'.repeat(20000) } }] }; }",
			/is too long$/,
		],
		["garbage", "afterSearch() { return 'hits'; }", /returned what it may not/],
	];
	it.each(HOSTILE)("a hook that %s is left out of the search, which says so", async (name, hook, problem) => {
		const bad = await folder.plugin(name, hook, "timeLimitsMs: { beforeSearch: 200, afterSearch: 5000 },");
		const good = await folder.plugin("good", "beforeSearch() { return { text: 'good' }; }");
		const asked: SearchQuery[] = [];
		const report = await (await searching([bad, good], asked)).search(query);
		expect(asked).toEqual([{ ...query, text: "good" }]);
		expect(report.hits).toEqual(HITS);
		expect(report.pluginProblems).toEqual([expect.stringMatching(problem)]);
		expect(report.pluginProblems?.join()).not.toContain("token");
	});
});
