import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import wabt from "wabt";
import { seededNumbers } from "../../../../../test/support/seeded-vectors.js";
import { BitRows } from "./bit-rows.js";
import { createHammingKernel } from "./hamming-kernel.js";
import { HAMMING_KERNEL } from "./hamming-kernel-code.js";

it("runs what hamming.wat says (scripts/assemble-kernels.mjs assembles it)", async () => {
	const { parseWat } = await wabt();
	const module = parseWat("hamming.wat", readFileSync(new URL("hamming.wat", import.meta.url), "utf8"), { simd: true });
	expect(Buffer.from(module.toBinary({}).buffer).toString("base64")).toBe(HAMMING_KERNEL);
});

it("finds the nearest rows, in WebAssembly, in JavaScript and one by one", () => {
	const next = seededNumbers(4);
	for (const dimensions of [128, 384, 500]) {
		const bits = () => Uint8Array.from({ length: Math.ceil(dimensions / 8) }, () => Math.floor(next() * 256));
		const rows = Array.from({ length: 33_000 }, bits);
		// Every other row of a table that has rows without bits.
		const passing = Uint8Array.from({ length: rows.length * 2 }, () => Number(next() < 0.5));
		const kernels = [createHammingKernel(), createHammingKernel("javascript")];
		const tables = kernels.map((kernel) => new BitRows(dimensions, kernel));
		for (const table of tables) for (const [at, row] of rows.entries()) table.append(at * 2, row);
		const query = bits();
		const distance = (row: Uint8Array) =>
			row.reduce((sum, byte, at) => sum + (byte ^ (query[at] as number)).toString(2).replaceAll("0", "").length, 0);
		const expected = rows
			.map((row, at) => ({ row: at * 2, distance: distance(row) }))
			.filter(({ row }) => passing[row] === 1)
			.sort((a, b) => a.distance - b.distance || a.row - b.row);
		for (const limit of [0, 1, 300, 40_000]) {
			const best = expected.slice(0, limit).map(({ row }) => row);
			for (const table of tables) expect(table.nearest(query, passing, limit)).toEqual(best.sort((a, b) => a - b));
		}
	}
});
