import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChunkSettings } from "../../domain/mined-file.js";
import type { Region } from "../extractor.js";
import { type ChunkedFile, chunkFile, maxChunks } from "./chunk-file.js";

const SETTINGS: ChunkSettings = { chunkSize: 200, overlap: 40 };

const linesOf = (text: string): string[] => {
	const lines = text.split("\n");
	if (lines.at(-1) === "") lines.pop();
	return lines;
};

/** Everything that holds for any text, regions and settings. */
function check(text: string, { chunks, omittedFrom }: ChunkedFile, settings: ChunkSettings): void {
	const lines = linesOf(text);
	const covered = new Set<number>();
	let previousStart = 1;
	for (const [index, chunk] of chunks.entries()) {
		expect(chunk.ordinal).toBe(index);
		expect(chunk.startLine).toBeGreaterThanOrEqual(previousStart);
		previousStart = chunk.startLine;
		expect(chunk.endLine).toBeLessThanOrEqual(lines.length);
		expect(chunk.text.length).toBeLessThanOrEqual(settings.chunkSize);
		expect(chunk.text).not.toMatch(/\p{Cs}/u);
		const whole = lines.slice(chunk.startLine - 1, chunk.endLine).join("\n");
		if (chunk.text !== whole) {
			expect(chunk.startLine).toBe(chunk.endLine);
			expect(whole.length).toBeGreaterThan(settings.chunkSize);
			expect(whole).toContain(chunk.text);
		}
		expect(chunk.text.trim()).not.toBe("");
		for (let line = chunk.startLine; line <= chunk.endLine; line++) covered.add(line);
	}
	lines.forEach((line, index) => {
		if (line.trim() !== "" && index + 1 < (omittedFrom ?? Number.POSITIVE_INFINITY))
			expect(covered).toContain(index + 1);
	});
}

const line = fc.oneof(
	{ weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => text.replaceAll("\n", " ")) },
	{ weight: 2, arbitrary: fc.constantFrom("", "  ", "}", "\tend", "});", "    return x;", "\r", "\u2028") },
	{
		weight: 1,
		arbitrary: fc.string({ unit: "binary", minLength: 200, maxLength: 700 }).map((text) => text.replaceAll("\n", "")),
	},
);
const file = fc
	.tuple(fc.array(line, { maxLength: 60 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
	.map(([lines, end, closed]) => lines.join(end) + (closed ? end : ""));
const region = fc
	.tuple(fc.integer({ min: 0, max: 70 }), fc.integer({ min: -1, max: 30 }), fc.constantFrom("a", "A.b", ""))
	.map(([startLine, length, symbol]): Region => ({ startLine, endLine: startLine + length, kind: "function", symbol }));

describe("chunkFile", () => {
	it("covers every line with exact text, within bounds, whatever the text and the regions are", () => {
		fc.assert(
			fc.property(
				file,
				fc.array(region, { maxLength: 20 }),
				fc.integer({ min: 20, max: 400 }),
				fc.integer({ min: 0, max: 500 }),
				(text, regions, chunkSize, overlap) => {
					const wellFormed = text.replace(/\p{Cs}/gu, "?");
					const settings = { chunkSize, overlap };
					const chunked = chunkFile(wellFormed, regions, "text", settings);
					check(wellFormed, chunked, settings);
					expect(chunkFile(wellFormed, regions, "text", settings)).toEqual(chunked);
				},
			),
			{ numRuns: 500 },
		);
	});

	it("keeps a function that fits in one chunk and merges what lies between", () => {
		const text = "import a\nimport b\n\n\n# adds\ndef f():\n    return 1\n\n\nX = 1\nY = 2\n\ndef g():\n    return 2\n";
		const regions: Region[] = [
			{ startLine: 5, endLine: 7, kind: "function", symbol: "f" },
			{ startLine: 13, endLine: 14, kind: "function", symbol: "g" },
		];
		expect(chunkFile(text, regions, "module", SETTINGS).chunks).toEqual([
			{ ordinal: 0, kind: "module", startLine: 1, endLine: 2, text: "import a\nimport b" },
			{ ordinal: 1, kind: "function", symbol: "f", startLine: 5, endLine: 7, text: "# adds\ndef f():\n    return 1" },
			{ ordinal: 2, kind: "module", startLine: 10, endLine: 11, text: "X = 1\nY = 2" },
			{ ordinal: 3, kind: "function", symbol: "g", startLine: 13, endLine: 14, text: "def g():\n    return 2" },
		]);
	});

	it("gives a class a header chunk and its methods theirs; a closing brace joins the last", () => {
		const text = "class A {\n  x = 1;\n  f() {\n    return 1;\n  }\n\n  g() {}\n}\n";
		const regions: Region[] = [
			{ startLine: 1, endLine: 8, kind: "class", symbol: "A" },
			{ startLine: 3, endLine: 5, kind: "method", symbol: "A.f" },
			{ startLine: 7, endLine: 7, kind: "method", symbol: "A.g" },
		];
		const { chunks } = chunkFile(text, regions, "module", SETTINGS);
		expect(chunks.map(({ kind, symbol, startLine, endLine }) => [kind, symbol, startLine, endLine])).toEqual([
			["class", "A", 1, 2],
			["method", "A.f", 3, 5],
			["method", "A.g", 7, 8],
		]);
	});

	it("cuts a long function before statements, with an overlap of whole lines", () => {
		const body = Array.from({ length: 30 }, (_, n) => `    if a${n}:\n        call(${n})`).join("\n");
		const text = `def f():\n${body}\n`;
		const settings = { chunkSize: 200, overlap: 40 };
		const { chunks } = chunkFile(
			text,
			[{ startLine: 1, endLine: 61, kind: "function", symbol: "f" }],
			"module",
			settings,
		);
		expect(chunks.length).toBeGreaterThan(4);
		chunks.slice(1).forEach((chunk, index) => {
			const previous = chunks[index];
			const repeated = (previous?.endLine ?? 0) - chunk.startLine + 1;
			expect(repeated).toBe(2);
			expect(linesOf(text)[previous?.endLine ?? 0]).toMatch(/^ {4}if/);
		});
	});

	it("cuts prose at blank lines", () => {
		const paragraph = "Words that go on and on, over two lines\nof one paragraph that belongs together.";
		const { chunks } = chunkFile(Array(6).fill(paragraph).join("\n\n"), [], "text", { chunkSize: 200, overlap: 0 });
		expect(chunks.map((chunk) => chunk.text)).toEqual(Array(3).fill(`${paragraph}\n\n${paragraph}`));
	});

	it("keeps carriage returns as they are", () => {
		const { chunks } = chunkFile("a\r\nb\r\n", [], "text", SETTINGS);
		expect(chunks[0]).toMatchObject({ startLine: 1, endLine: 2, text: "a\r\nb\r" });
	});

	it("cuts a line that is too long within it, never inside a character", () => {
		const text = "😀".repeat(500);
		const { chunks } = chunkFile(text, [], "text", { chunkSize: 201, overlap: 0 });
		expect(chunks.map((chunk) => chunk.text).join("")).toBe(text);
		check(text, { chunks }, { chunkSize: 201, overlap: 0 });
	});

	it.each([
		["8 MiB of a", "a".repeat(8 << 20)],
		["4M lines of one character", "a\n".repeat(4 << 20)],
		["4M closing braces", "}\n".repeat(4 << 20)],
		["spaces and a word", `${" ".repeat(4 << 20)}a`],
	])("bounds the chunks of %s and says where it stopped", (_name, text) => {
		const { chunks, omittedFrom } = chunkFile(text, [], "text", { chunkSize: 200, overlap: 200 });
		expect(chunks.length).toBeLessThanOrEqual(maxChunks);
		if (chunks.length === maxChunks) expect(omittedFrom).toBeGreaterThan(0);
		expect(chunks.at(-1)?.text.length).toBeLessThanOrEqual(200);
	});

	it("makes nothing of 8 MiB of newlines, or of nothing", () => {
		expect(chunkFile("\n".repeat(8 << 20), [], "text", SETTINGS)).toEqual({ chunks: [] });
		expect(chunkFile("", [{ startLine: 1, endLine: 1, kind: "function", symbol: "f" }], "text", SETTINGS)).toEqual({
			chunks: [],
		});
	});

	it("bounds a million regions and deep nesting", () => {
		const text = "x\n".repeat(100_000);
		const nested = Array.from(
			{ length: 100_000 },
			(_, n): Region => ({ startLine: (n >> 1) + 1, endLine: 100_000 - (n >> 1), kind: "class", symbol: `s${n}` }),
		);
		const { chunks } = chunkFile(text, nested, "text", SETTINGS);
		expect(chunks).toHaveLength(maxChunks);
	});
});
