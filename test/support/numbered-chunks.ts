import type { ChunkRecord } from "../../src/domain/mined-file.js";
import { seededVectors } from "./seeded-vectors.js";

export const NUMBERED_MODEL = "test/model-32";

/** So many chunks of 50 files, of 32 dimensions; equal seeds give equal ones. */
export function numberedChunks(source: string, seed: number, count: number): ChunkRecord[] {
	const next = seededVectors(seed, 32);
	return Array.from({ length: count }, (_, n) => ({
		source,
		group: "default",
		model: NUMBERED_MODEL,
		origin: `file:${n % 50}`,
		path: `${n % 50}`,
		ordinal: Math.floor(n / 50),
		kind: "text",
		startLine: 1,
		endLine: 2,
		text: `text number ${n}`,
		vector: next(),
	}));
}
