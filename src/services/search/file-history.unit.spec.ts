import { describe, expect, it } from "vitest";
import type { ChunkHit } from "../../stores/vectors/vectors.port.js";
import { fileKey, rankByHistory } from "./file-history.js";
import { rankByPath } from "./file-paths.js";

const said = (source: string, score: number, ...paths: string[]) =>
	({ source, score, text: ["subject", ...paths].join("\n") }) as ChunkHit;
const all = () => true;
const of = (ranked: ReadonlyMap<string, number>, path: string, source = "s") => ranked.get(fileKey({ source, path }));

describe("rankByHistory", () => {
	it("weighs a history by whether commits that say the same touch the same files", () => {
		const agreeing = rankByHistory([said("s", 3, "a", "b"), said("s", 2, "a"), said("s", 1, "a")], all);
		const scattered = rankByHistory([said("s", 3, "a"), said("s", 2, "b"), said("s", 1, "c")], all);
		expect(of(agreeing, "a")).toBeGreaterThan(0.7);
		expect(of(agreeing, "b")).toBeLessThan(of(agreeing, "a") as number);
		expect([...scattered.values()].every((score) => score === 0)).toBe(true);
	});

	it("leaves out files that are gone, which also lowers what the rest is worth", () => {
		const commits = [said("s", 2, "old", "kept"), said("s", 2, "old", "kept")];
		const moved = rankByHistory(commits, (file) => file.endsWith("kept"));
		expect([...moved.keys()]).toEqual([fileKey({ source: "s", path: "kept" })]);
		expect(of(moved, "kept")).toBeLessThan(of(rankByHistory(commits, all), "kept") as number);
	});

	it("weighs each source by its own history", () => {
		const commits = [said("s", 3, "a"), said("t", 3, "a"), said("s", 2, "a"), said("t", 2, "b")];
		const ranked = rankByHistory(commits, all);
		expect(of(ranked, "a", "s")).toBe(1);
		expect(of(ranked, "a", "t")).toBe(0);
	});
});

describe("rankByPath", () => {
	it("ranks files whose path has the query's rarer words first, identifiers split", () => {
		const files = ["src/connectionPool.ts", "src/pool.ts", "docs/other.md", "src/b.ts"].map((path) => ({
			source: "s",
			path,
		}));
		const ranked = rankByPath("the connection pool", files);
		expect(of(ranked, "src/connectionPool.ts")).toBe(1);
		expect(of(ranked, "src/pool.ts")).toBeLessThan(1);
		expect(of(ranked, "docs/other.md")).toBeUndefined();
		expect(rankByPath("", files).size).toBe(0);
		expect(rankByPath("pool", []).size).toBe(0);
	});
});
