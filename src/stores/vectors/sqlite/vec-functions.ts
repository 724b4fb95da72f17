import type { DatabaseSync } from "node:sqlite";
import { getLoadablePath } from "sqlite-vec";
import { floatsFrom } from "./vector-codec.js";

/**
 * Gives a connection `vec_bit`, `vec_distance_hamming` and `vec_distance_cosine`: sqlite-vec's where it has a binary for this
 * platform, else the same in JavaScript (several times slower, equal results). Only its scalar functions are used: the KNN of its
 * virtual tables silently loses rows when OR or NOT IN stands in the filter.
 */
export function loadVectorFunctions(database: DatabaseSync): void {
	try {
		// Throws where there is no binary for this platform.
		database.loadExtension(getLoadablePath());
	} catch {
		defineVectorFunctions(database);
	}
	database.enableLoadExtension(false);
}

/** Exported for the test that holds both implementations together. */
export function defineVectorFunctions(database: DatabaseSync): void {
	const pure = { deterministic: true };
	database.function("vec_bit", pure, (bits) => bits as Uint8Array);
	database.function("vec_distance_hamming", pure, (a, b) => hamming(a as Uint8Array, b as Uint8Array));
	database.function("vec_distance_cosine", pure, (a, b) => cosineDistance(a as Uint8Array, b as Uint8Array));
}

const BIT_COUNTS = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

function hamming(a: Uint8Array, b: Uint8Array): number {
	let distance = 0;
	for (let at = 0; at < a.length; at += 1) {
		distance += BIT_COUNTS[(a[at] as number) ^ (b[at] as number)] as number;
	}
	return distance;
}

function cosineDistance(a: Uint8Array, b: Uint8Array): number | null {
	const [left, right] = [floatsFrom(a), floatsFrom(b)];
	if (!left || !right) return null;
	let [dot, leftSquares, rightSquares] = [0, 0, 0];
	for (let at = 0; at < left.length; at += 1) {
		const [x, y] = [left[at] as number, right[at] as number];
		dot += x * y;
		leftSquares += x * x;
		rightSquares += y * y;
	}
	return 1 - dot / Math.sqrt(leftSquares * rightSquares);
}
