import { describe, expect, it } from "vitest";
import { termPlaces, textTerms } from "../../domain/text/terms.js";
import { highlighter } from "./highlights.js";

const shown = (query: string, text: string) => highlighter(query)(text).map(({ start, end }) => text.slice(start, end));

describe("highlighter", () => {
	it("finds words by their stem and parts of identifiers, in order, those that touch as one", () => {
		const text = "const maxRetries = 3; // retrying the HTTPServer_v2, \u{1f600} retry";
		expect(shown("retry", text)).toEqual(["Retries", "retrying", "retry"]);
		expect(shown("http server", text)).toEqual(["HTTPServer"]);
		expect(shown("max server", text)).toEqual(["max", "Server"]);
	});

	it("shows a stop word only where the question has nothing else, and nothing of an empty question", () => {
		expect(shown("the pool", "the pool of the day")).toEqual(["pool"]);
		expect(shown("the", "the pool")).toEqual(["the"]);
		expect(shown("", "the pool")).toEqual([]);
	});

	it("bounds what it shows of a text that repeats itself", () => {
		expect(highlighter("a1 pool")("pool ".repeat(5_000))).toHaveLength(200);
	});
});

describe("termPlaces", () => {
	it("gives exactly the terms of the full-text index, each in its place", () => {
		for (const text of ["HTTPServer_v2 naïveCafé", "日本語 テスト x", "the_quick brownFox2jumps", "a".repeat(70)]) {
			const places = [...termPlaces(text)];
			expect(places.map(({ term }) => term)).toEqual(textTerms(text));
			for (const { start, end } of places) expect(end).toBeGreaterThan(start);
		}
	});
});
