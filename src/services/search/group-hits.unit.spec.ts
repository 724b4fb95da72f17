import { describe, expect, it } from "vitest";
import { groupHits, groupingOf } from "./group-hits.js";
import { hitId, parseHitId } from "./hit-id.js";

const hits = [
	{ source: "s", path: "src/a.ts", score: 1 },
	{ source: "s", path: "test/a.ts", score: 0.9 },
	{ source: "t", path: "src/a.ts", score: 0.8 },
	{ source: "s", path: "src/a.ts", score: 0.7 },
	{ source: "s", path: "README.md", score: 0.6 },
];
const keys = (groups: ReturnType<typeof groupHits>) => groups.map(({ key, source, hits: at }) => [key, source, at]);

describe("groupHits", () => {
	it("puts hits of one file together, of each source for itself, in order of the best", () => {
		expect(keys(groupHits(hits, { by: "file" }))).toEqual([
			["src/a.ts", "s", [0, 3]],
			["test/a.ts", "s", [1]],
			["src/a.ts", "t", [2]],
			["README.md", "s", [4]],
		]);
		expect(keys(groupHits(hits, { by: "folder" })).at(-1)).toEqual(["", "s", [4]]);
	});

	it("gives a hit to the first rule that takes its path, and the rest to other", () => {
		const rules = groupingOf("custom", [
			["tests", "test/**"],
			["code", "**/*.ts"],
		]);
		expect(keys(groupHits(hits, rules as never))).toEqual([
			["code", null, [0, 2, 3]],
			["tests", null, [1]],
			["other", null, [4]],
		]);
	});

	it("refuses rules that are none", () => {
		expect(() => groupHits(hits, { by: "custom", rules: [] })).toThrow("there is none");
		expect(() => groupHits(hits, { by: "custom", rules: [{ name: "a", glob: "*a".repeat(40) }] })).toThrow("too long");
		expect(() => groupingOf("file", [["a", "b"]])).toThrow("rules are for");
	});
});

describe("hitId", () => {
	it("names a place and reads it back, whatever the path holds", () => {
		const place = { source: "shop-1f", group: "default", ordinal: 12, path: "a:b/c 7:\n.ts" };
		expect(parseHitId(hitId(place))).toEqual(place);
		expect(parseHitId("src/a.ts")).toBeUndefined();
		expect(parseHitId("symbol:shop:a.ts#b")).toBeUndefined();
	});
});
