import { describe, expect, it } from "vitest";
import { compareBytes } from "./byte-order.js";
import { type GraphRecord, graphRecordDigest, normalRecord } from "./entities.js";

const record: GraphRecord = {
	source: "s",
	origin: "file:a",
	key: "symbol:s:a#f",
	kind: "symbol",
	name: "f",
	props: { b: 1, a: [1, { z: "x" }] },
	edges: [
		{ kind: "CALLS", to: "name:s:symbol:ts:g" },
		{ kind: "CALLS", to: "name:s:symbol:ts:a" },
	],
	provides: [
		{ name: "name:s:symbol:ts:f", rank: 1 },
		{ name: "name:s:symbol:ts:f", rank: 0 },
	],
};

describe("the normal form of a record", () => {
	it("has the digest of the record, whatever the order and number of its edges and names", () => {
		const doubled = {
			...record,
			edges: [...record.edges, ...record.edges].reverse(),
			provides: [...record.provides, ...record.provides].reverse(),
		};
		expect(graphRecordDigest(doubled)).toBe(graphRecordDigest(record));
		expect(graphRecordDigest(normalRecord(doubled))).toBe(graphRecordDigest(record));
		expect(normalRecord(doubled)).toEqual(normalRecord(record));
	});

	it("replaces unpaired surrogates everywhere and keeps pairs", () => {
		const odd = {
			...record,
			key: "k\ud800",
			name: "n\udc00😀",
			props: { "p\ud800": ["v\ud83d", "😀", "\\ud800"] },
			edges: [{ kind: "CALLS" as const, to: "t\ud800" }],
			provides: [{ name: "m\ud800", rank: 0 }],
		};
		const normal = normalRecord(odd);
		expect(normal).toMatchObject({
			key: "k\ufffd",
			name: "n\ufffd😀",
			props: { "p\ufffd": ["v\ufffd", "😀", "\\ud800"] },
			edges: [{ kind: "CALLS", to: "t\ufffd" }],
			provides: [{ name: "m\ufffd", rank: 0 }],
		});
		expect(graphRecordDigest(odd)).toBe(graphRecordDigest(normal));
	});

	it("tells records apart that differ in anything", () => {
		const others: GraphRecord[] = [
			{ ...record, source: "t" },
			{ ...record, origin: "file:b" },
			{ ...record, key: "symbol:s:a#g" },
			{ ...record, kind: "module" },
			{ ...record, name: "g" },
			{ ...record, props: { ...record.props, b: 2 } },
			{ ...record, edges: record.edges.slice(1) },
			{ ...record, edges: record.edges.map((edge) => ({ ...edge, kind: "IMPORTS" as const })) },
			{ ...record, provides: record.provides.slice(1) },
		];
		expect(new Set([record, ...others].map(graphRecordDigest)).size).toBe(others.length + 1);
	});
});

it("orders texts as their bytes", () => {
	const texts = ["", "a", "a\0", "ab", "b", "é", "\ud7ff", "\ue000", "\uff5e", "\uffff", "😀", "😀a", "\u{10ffff}"];
	const byBuffer = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
	expect([...texts].reverse().sort(compareBytes)).toEqual(byBuffer);
	expect(byBuffer).toEqual(texts);
});
