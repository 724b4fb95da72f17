import { describe, expect, it } from "vitest";
import { commitText } from "./commit-text.js";

const COMMIT = {
	...{ sha: "c".repeat(40), parents: [], authorName: "", authorEmail: "", authoredAt: "2026-01-01T00:00:00.000Z" },
	...{ subject: "Mend  the\tpool", paths: ["src/pool.ts", "test/pool.ts"] },
};

describe("commitText", () => {
	it("is one record a commit, its subject on the first line and a path on each other", () => {
		const [record, ...more] = commitText("s", COMMIT);
		expect(more).toEqual([]);
		expect(record).toMatchObject({
			source: "s",
			origin: `commit:${COMMIT.sha}`,
			kind: "commit",
			model: "none",
			path: "",
		});
		expect(record?.text).toBe("Mend the pool\nsrc/pool.ts\ntest/pool.ts");
	});

	it("leaves out commits that tell nothing of a file, and paths that no line can hold", () => {
		expect(commitText("s", { ...COMMIT, paths: [] })).toEqual([]);
		expect(commitText("s", { ...COMMIT, subject: " " })).toEqual([]);
		expect(commitText("s", { ...COMMIT, paths: Array.from({ length: 51 }, (_, n) => `${n}`) })).toEqual([]);
		expect(commitText("s", { ...COMMIT, paths: ["a\nb", "c", "d\ud800"] })[0]?.text).toBe("Mend the pool\nc");
	});
});
