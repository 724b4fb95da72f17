import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { defineVectorFunctions, loadVectorFunctions } from "./vec-functions.js";
import { floatBytes, signBits } from "./vector-codec.js";

it("measures alike with and without the extension", () => {
	const native = new DatabaseSync(":memory:", { allowExtension: true });
	loadVectorFunctions(native);
	const fallback = new DatabaseSync(":memory:");
	defineVectorFunctions(fallback);
	const vector = (seed: number) => Float32Array.from({ length: 384 }, (_, at) => Math.sin(seed * 1000 + at * seed));
	for (let seed = 1; seed < 40; seed += 1) {
		const [a, b] = [vector(seed), vector(seed + 0.5)];
		const ask = (database: DatabaseSync) =>
			database
				.prepare("SELECT vec_distance_hamming(vec_bit(?), vec_bit(?)) AS bits, vec_distance_cosine(?, ?) AS cosine")
				.get(signBits(a), signBits(b), floatBytes(a), floatBytes(b)) as { bits: number; cosine: number };
		expect(ask(fallback).bits).toBe(ask(native).bits);
		expect(ask(fallback).cosine).toBeCloseTo(ask(native).cosine, 5);
	}
	native.close();
	fallback.close();
});
