import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import wabt from "wabt";
import { seededNumbers } from "../../../../../test/support/seeded-vectors.js";
import { floatBytes, signBits } from "../vector-codec.js";
import { BitRows } from "./bit-rows.js";
import type { CoarseRows } from "./coarse-rows.js";
import { NibbleRows } from "./nibble-rows.js";
import { createScanKernel, type ScanKernel } from "./scan-kernel.js";
import { SCAN_KERNEL } from "./scan-kernel-code.js";

it("runs what scan-kernel.wat says (scripts/assemble-kernels.mjs assembles it)", async () => {
	const { parseWat } = await wabt();
	const module = parseWat("scan-kernel.wat", readFileSync(new URL("scan-kernel.wat", import.meta.url), "utf8"), {
		simd: true,
	});
	expect(Buffer.from(module.toBinary({}).buffer).toString("base64")).toBe(SCAN_KERNEL);
});

describe.each([200])("of %i dimensions", (dimensions) => {
	const next = seededNumbers(dimensions);
	const COUNT = 33_000;
	/** A few hundred random values, most of them near zero. */
	const vector = () => Float32Array.from({ length: dimensions }, () => (next() - 0.5) ** 3);
	const vectors = Array.from({ length: COUNT }, vector);
	// Every other row of a table that has rows of other models.
	const passing = Uint8Array.from({ length: COUNT * 2 }, () => Number(next() < 0.5));
	const stored = vectors.map((each) => ({ bits: signBits(each), floats: floatBytes(each) }));

	const tables = (create: (kernel: ScanKernel) => CoarseRows) =>
		[createScanKernel(), createScanKernel("javascript")].map((kernel) => {
			const table = create(kernel);
			for (const [at, each] of stored.entries()) table.append(at * 2, each);
			return table;
		});

	it("finds the nearest by sign bits, in WebAssembly, in JavaScript and one by one", () => {
		const query = vector();
		const bits = signBits(query);
		const distance = (row: Uint8Array) =>
			row.reduce((sum, byte, at) => sum + (byte ^ (bits[at] as number)).toString(2).replaceAll("0", "").length, 0);
		const expected = stored
			.map((each, at) => ({ row: at * 2, distance: distance(each.bits) }))
			.filter(({ row }) => passing[row] === 1)
			.sort((a, b) => a.distance - b.distance || a.row - b.row);
		for (const table of tables((kernel) => new BitRows(dimensions, kernel))) {
			for (const limit of [0, 1, 300, 8_000, COUNT]) {
				const best = expected.slice(0, limit).map(({ row }) => row);
				expect(table.nearest(query, passing, limit)).toEqual(best.sort((a, b) => a - b));
			}
		}
	});

	it("finds the nearest by four bits a dimension, the same ones in both, and among them the nearest of all", () => {
		// A question has few words.
		const query = vector().map((value) => (next() < 0.1 ? value : 0));
		const dot = (row: Float32Array) => row.reduce((sum, value, at) => sum + value * (query[at] as number), 0);
		const best = vectors
			.map((each, at) => ({ row: at * 2, score: dot(each) }))
			.filter(({ row }) => passing[row] === 1)
			.sort((a, b) => b.score - a.score)
			.slice(0, 10)
			.map(({ row }) => row);
		const [fast, plain] = tables((kernel) => new NibbleRows(dimensions, kernel)).map((table) =>
			[0, 1, 300, COUNT, 4_000].map((limit) => table.nearest(query, passing, limit)),
		);
		expect(fast).toEqual(plain);
		expect(fast?.[4]).toEqual(roughlyNearest(vectors, query, passing, 4_000));
		expect(fast?.[2]).toHaveLength(300);
		expect(fast?.[2]).toEqual(expect.arrayContaining(best));
		expect(fast?.[3]).toHaveLength(passing.reduce((sum, each, row) => sum + (row % 2 === 0 ? each : 0), 0));
	});
});

/** One by one: of 15 steps a value, a row's largest at the end of them, beside a query in whole numbers. */
function roughlyNearest(
	vectors: readonly Float32Array[],
	query: Float32Array,
	passing: Uint8Array,
	limit: number,
): number[] {
	const largest = (of: Float32Array) => of.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
	const whole = Math.min(127 / largest(query), 32_000 / 7 / query.reduce((sum, value) => sum + Math.abs(value), 0));
	const weights = query.map((value) => Math.trunc(value * whole));
	return vectors
		.map((vector, at) => {
			const steps = 7 / largest(vector);
			const sum = vector.reduce((all, value, each) => all + Math.round(value * steps) * (weights[each] as number), 0);
			return { row: at * 2, score: Math.fround(sum * largest(vector)) };
		})
		.filter(({ row, score }) => passing[row] === 1 && score > 0)
		.sort((a, b) => b.score - a.score || a.row - b.row)
		.slice(0, limit)
		.map(({ row }) => row)
		.sort((a, b) => a - b);
}
