import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupSelector } from "./group-filter.js";
import { checkGroup } from "./group-input.js";

const plain = {
	name: "docs",
	path: "docs",
	include: ["**/*.md"],
	exclude: [],
	grouping: "file",
	rules: [],
	indexing: { model: "lexical-v1-384", chunkSize: 1_200, overlap: 150 },
	retention: {},
};
const problems = (change: object) => {
	const result = checkGroup({ ...plain, ...change });
	return "problems" in result ? result.problems : {};
};

describe("what users say of a group", () => {
	test("is taken as it is, with its path in its plain form", () => {
		expect(checkGroup(plain)).toEqual({ group: plain });
		for (const [given, path] of [
			["./docs/", "docs"],
			[".", ""],
			["./", ""],
			["", ""],
			["a b/ü/c", "a b/ü/c"],
		]) {
			expect(checkGroup({ ...plain, path: given }), given).toEqual({ group: { ...plain, path } });
		}
	});

	test.each([
		"..",
		"../x",
		"a/../../x",
		"/",
		"/etc",
		"~/x",
		"C:\\x",
		"\\\\host\\x",
		"a\\..\\x",
		"a//b",
		"a/./b",
		"a\0b",
		"a\nb",
	])("a path that leaves the source, or is none, is refused: %j", (path) => {
		expect(Object.keys(problems({ path }))).toEqual(["path"]);
	});

	test.each([
		"../**",
		"a/../**",
		"/etc/**",
		"{a,..}/x",
		"!a",
		"",
		"a\0",
		"+(a|b)",
		"*a*a*a*a*b",
		"**/**/**/**/**/a",
		"*a/".repeat(25),
		"x".repeat(501),
	])("a glob that leaves the source, or is costly, is refused: %j", (glob) => {
		expect(Object.keys(problems({ include: ["ok", glob] }))).toEqual(["include.1"]);
		expect(Object.keys(problems({ exclude: [glob] }))).toEqual(["exclude.0"]);
		expect(Object.keys(problems({ grouping: "custom", rules: [{ name: "r", globs: [glob] }] }))).toEqual([
			"rules.0.globs.0",
		]);
	});

	test("every field that is wrong has its message", () => {
		const wrong = {
			name: "-x",
			include: [],
			grouping: "none",
			indexing: { model: "A B", chunkSize: 100, overlap: 5_000, more: 1 },
			retention: { maxVersions: 0, ttl: 1.5 },
			colour: "red",
		};
		expect(Object.keys(problems(wrong)).sort()).toEqual([
			"colour",
			"grouping",
			"include",
			"indexing.chunkSize",
			"indexing.model",
			"indexing.more",
			"indexing.overlap",
			"name",
			"retention.maxVersions",
			"retention.ttl",
		]);
		expect(problems({ indexing: { ...plain.indexing, chunkSize: 200 } })).toEqual({
			"indexing.overlap": "must be half of chunkSize at most",
		});
		expect(problems({ grouping: "custom" })).toEqual({ rules: expect.stringContaining("one rule at least") });
		const many = Array.from({ length: 60 }, (_, at) => `${at}`);
		const rules = ["a", "b"].map((name) => ({ name, globs: many }));
		expect(problems({ grouping: "custom", rules })).toEqual({ rules: "must have 100 globs at most in all" });
		expect(problems({ rules: [{ name: "a", globs: ["x"] }] })).toEqual({ rules: expect.stringContaining("custom") });
		for (const nonsense of [null, 7, "x", [], { path: 7 }]) expect(checkGroup(nonsense)).toHaveProperty("problems");
	});

	test("however much is wrong, what is said of it stays small", () => {
		const strange = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`field${at}`, at]));
		expect(Object.keys(problems(strange))).toHaveLength(100);
		expect(problems({ include: Array(200_000).fill([]) })).toEqual({ include: "must be 100 at most" });
		expect(problems({ ["x".repeat(100_000)]: 1 })).toEqual({ ["x".repeat(500)]: "is not known" });
	});

	test("no path that is taken selects anything outside of its folder, whatever the globs are", () => {
		const part = fc.constantFrom("a", "b", "..", ".", "**", "*", "{a,b}", "a*", "?");
		const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
		fc.assert(
			fc.property(text, fc.array(text, { minLength: 1, maxLength: 3 }), text, (path, include, file) => {
				const result = checkGroup({ ...plain, path, include });
				if (!("group" in result) || !groupSelector(result.group)(file)) return;
				expect(result.group.path.split("/")).not.toContain("..");
				if (result.group.path !== "") expect(file.startsWith(`${result.group.path}/`)).toBe(true);
			}),
		);
	});
});
