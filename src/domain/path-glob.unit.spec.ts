import { describe, expect, it } from "vitest";
import { groupSelector } from "./group-filter.js";
import { costlyGlob, pathGlob } from "./path-glob.js";

describe("a glob over paths", () => {
	it("matches dot files, and names that hold line ends", () => {
		for (const path of ["a.ts", ".github/workflows/ci.yml", "src/line\nend.ts", "\u2028.md", "a\r\nb/c"])
			expect(pathGlob("**")(path), JSON.stringify(path)).toBe(true);
		expect(pathGlob("src/*.ts")("src/line\nend.ts")).toBe(true);
		expect(pathGlob(["docs/**", "*.md"])("src/a.ts")).toBe(false);
	});

	it("decides what a group indexes", () => {
		const selects = groupSelector({ path: "", include: ["**"], exclude: ["**/node_modules/**"] });
		expect(selects("odd\nname/a.ts")).toBe(true);
		expect(selects("odd\nname/node_modules/a.ts")).toBe(false);
	});

	it("of a stranger is refused where matching it may take long, and not where people write it", () => {
		for (const glob of [
			"src/**/*.{ts,tsx}",
			"**/test/**/*.spec.*",
			"packages/*/src/**/*.test.ts",
			"**/a/**/b/**",
			"*",
			"[a-z]*",
		])
			expect([glob, costlyGlob(glob)]).toEqual([glob, undefined]);
		for (const glob of [
			"*a*a*a*ac",
			`src/${"*a".repeat(6)}c`,
			"{*a*a,*b*a}{*a*a,*a*a}c",
			"+(a|b)+(a|b)+(a|b)*c",
			"**/a/**/a/**/a/**/ac",
			"a/*/".repeat(25),
			"a".repeat(513),
		])
			expect([glob, costlyGlob(glob)]).toEqual([glob, expect.any(String)]);
	});
});
