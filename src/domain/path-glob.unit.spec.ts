import { describe, expect, it } from "vitest";
import { groupSelector } from "./group-filter.js";
import { pathGlob } from "./path-glob.js";

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
});
