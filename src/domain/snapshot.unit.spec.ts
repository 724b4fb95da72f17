import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isVisible, type Snapshot } from "./snapshot.js";

const snapshot = (seq: number, excluding: number[] = []): Snapshot => ({ number: 1, seq, excluding, publishedAt: "" });

describe("visibility", () => {
	test.each([
		["added by it", 5, null, snapshot(5), true],
		["added later", 6, null, snapshot(5), false],
		["added by a running ingestion", 4, null, snapshot(5, [4]), false],
		["retired by it", 1, 5, snapshot(5), false],
		["retired later", 1, 6, snapshot(5), true],
		["retired by a running ingestion", 1, 4, snapshot(5, [4]), true],
		["added and retired by running ingestions", 3, 4, snapshot(5, [3, 4]), false],
	])("a record %s", (_, addedAt, removedAt, at, visible) => {
		expect(isVisible(at, { addedAt, removedAt })).toBe(visible);
	});

	test("of the versions of one record exactly one is visible in any snapshot that committed the first, whatever is published in between", () => {
		const seqs = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 });
		fc.assert(
			fc.property(seqs, fc.integer({ min: 0, max: 60 }), (unsorted, upTo) => {
				const published = [...unsorted].sort((a, b) => a - b);
				// A chain: each version is retired by the seq that adds the next.
				const versions = published.map((addedAt, at) => ({ addedAt, removedAt: published[at + 1] ?? null }));
				const seen = versions.filter((version) => isVisible(snapshot(upTo), version));
				expect(seen.length).toBe((published[0] as number) <= upTo ? 1 : 0);
			}),
		);
	});
});
