import { expect, test } from "vitest";
import type { ChunkHit } from "../../stores/vectors/vectors.port.js";
import { fuseRankings } from "./fuse-rankings.js";
import { onceAPlace } from "./once-a-place.js";

const hit = (group: string, path: string, [startLine, endLine]: readonly [number, number], score = 1): ChunkHit => ({
	...{ id: `${group}/${path}/${startLine}`, source: "s", group, path, startLine, endLine, score },
	...{ model: "m", ordinal: startLine, kind: "text", text: "", addedAt: 1, origin: path },
});
const named = (hits: readonly ChunkHit[]) => hits.map(({ group, path, startLine }) => `${group} ${path}:${startLine}`);

test("of the lines that several groups have of a file the best stays, and what it does not have", () => {
	const hits = [
		hit("docs", "a.md", [11, 20]),
		hit("default", "a.md", [1, 40]),
		hit("docs", "a.md", [21, 30]),
		hit("default", "a.md", [41, 80]),
		hit("default", "b.md", [1, 40]),
	];
	expect(named(onceAPlace(hits, (one) => one))).toEqual([
		"docs a.md:11",
		"docs a.md:21",
		"default a.md:41",
		"default b.md:1",
	]);
	// A group may cut a long line, or repeat a part of it.
	const own = [hit("default", "a.js", [1, 1]), hit("default", "a.js", [1, 2])];
	expect(onceAPlace(own, (one) => one)).toEqual(own);
});

test("equally good ones are those of default, and an answer has as many hits as it may", () => {
	const files = Array.from({ length: 4 }, (_, at) => `f${at}.md`);
	const hits = files.flatMap((path, at) => ["a", "default", "z"].map((group) => hit(group, path, [1, 9], 1 - at / 10)));
	const fused = fuseRankings([{ hits, weight: 1, from: "zero" }], 3);
	expect(named(fused)).toEqual(["default f0.md:1", "default f1.md:1", "default f2.md:1"]);
	// Other files do not lie behind because one is in more groups.
	const once = fuseRankings([{ hits: hits.filter(({ group }) => group === "default"), weight: 1, from: "zero" }], 3);
	expect(fused.map(({ score }) => score)).toEqual(once.map(({ score }) => score));
});
