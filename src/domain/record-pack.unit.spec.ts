import { describe, expect, it } from "vitest";
import { tallyOf } from "./digest.js";
import { type GraphRecord, graphRecordDigest, normalRecord } from "./entities.js";
import { PackedRecords, packOf, packTally } from "./record-pack.js";

const record = (key: string, more: Partial<GraphRecord> = {}): GraphRecord => ({
	source: "s",
	origin: "file:a",
	key,
	kind: "symbol",
	name: key,
	props: {},
	edges: [],
	provides: [],
	...more,
});

describe("record packs", () => {
	const records = [
		record("b", {
			props: { line: 3, doc: "is\u2028kept" },
			edges: [
				{ kind: "DEFINES", to: "z" },
				{ kind: "CALLS", to: "name with spaces" },
				{ kind: "DEFINES", to: "z" },
			],
			provides: [
				{ name: "n", rank: 10 },
				{ name: "m", rank: 2 },
			],
		}),
		record("\ud800", { edges: [{ kind: "CALLS", to: "\u{10000}" }] }),
	];

	it("give the records in their normal form, and their digests, as often as they are asked", () => {
		const packed = new PackedRecords([packOf(records), packOf([]), packOf([record("c")])]);
		const normal = [...records, record("c")].map(normalRecord);
		expect(packed.length).toBe(3);
		for (let times = 0; times < 2; times += 1) {
			expect([...packed]).toEqual(normal);
			expect([...packed].map(graphRecordDigest)).toEqual(normal.map(graphRecordDigest));
		}
	});

	it("know the tally of their records", () => {
		expect(packTally(packOf(records))).toEqual(tallyOf(records.map(graphRecordDigest)));
	});
});
