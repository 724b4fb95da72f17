import type { ChunkHit } from "../../stores/vectors/vectors.port.js";
import { type FileKey, fileKey } from "./file-history.js";
import { bestFirst, onceAPlace } from "./once-a-place.js";

/** One ranking of chunks, best first, and what it is worth beside the others. */
export interface Ranking {
	readonly hits: readonly ChunkHit[];
	readonly weight: number;
	/**
	 * What a score of zero evidence is: scores count from there to the ranking's best. BM25 starts at 0; cosines of semantic models lie
	 * close together far above it, so there it is the last candidate's.
	 */
	readonly from: "zero" | "last";
}

/** What is known of whole files, whatever chunk of them was found: added to a file's score, which is 0..1. */
export interface FileRanking {
	readonly scores: ReadonlyMap<FileKey, number>;
	readonly weight: number;
}

/** Each further chunk of a file adds this much of the one before to the file's score, up to so many. */
const FILE_DECAY = 0.25;
const FILE_CHUNKS = 4;
/** So many chunks of one file, then other files have their turn. */
const CHUNKS_BEFORE_OTHERS = 3;

/**
 * Adds up the rankings' scores, each scaled to its best and weighted: unlike ranks, scores keep how far the first is ahead of the second, so
 * a weak ranking cannot outvote a clear answer of a strong one. Then files are ordered by their best chunks together, and each
 * file's chunks follow its first one at a discount. What is known of whole files is added before that; `others` are chunks of
 * files that no ranking of chunks found. What several groups have of the same lines counts once. Scores: 0..1, the best is 1.
 */
export function fuseRankings(
	rankings: readonly Ranking[],
	limit: number,
	ofFiles: readonly FileRanking[] = [],
	others: readonly ChunkHit[] = [],
): ChunkHit[] {
	return arrange([...scoreChunks(rankings), ...others.map((hit) => ({ ...hit, score: 0 }))], limit, ofFiles);
}

/** The chunks of all rankings with their scores added up, unordered. */
function scoreChunks(rankings: readonly Ranking[]): ChunkHit[] {
	const chunks = new Map<string, { hit: ChunkHit; score: number }>();
	for (const { hits, weight, from } of rankings) {
		const best = hits[0]?.score ?? 0;
		const floor = from === "last" && hits.length > 1 ? (hits.at(-1)?.score ?? 0) : 0;
		const range = best - floor;
		if (range <= 0 && best <= 0) continue;
		for (const hit of hits) {
			// All equal: all are the best.
			const score = weight * (range > 0 ? Math.max(0, (hit.score - floor) / range) : 1);
			const known = chunks.get(hit.id);
			if (known) known.score += score;
			else chunks.set(hit.id, { hit, score });
		}
	}
	return [...chunks.values()]
		.filter(({ score }) => score > 0)
		.map(({ hit, score }) => ({ ...hit, score: settled(score) }));
}

/** Without the last digits, which depend on the order in which a store, its index in memory or another engine adds up. */
const settled = (score: number): number => Math.round(score * 1e9) / 1e9;

function arrange(hits: readonly ChunkHit[], limit: number, ofFiles: readonly FileRanking[]): ChunkHit[] {
	const files = new Map<string, ChunkHit[]>();
	for (const hit of onceAPlace([...hits].sort(bestFirst))) {
		const file = fileKey(hit);
		const known = files.get(file);
		if (known) known.push(hit);
		else files.set(file, [hit]);
	}
	const scores = new Map<FileKey, number>();
	let bestFile = 0;
	for (const [file, chunks] of files) {
		let score = 0;
		for (const [index, chunk] of chunks.slice(0, FILE_CHUNKS).entries()) score += chunk.score * FILE_DECAY ** index;
		scores.set(file, score);
		bestFile = Math.max(bestFile, score);
	}
	const first: ChunkHit[] = [];
	const later: ChunkHit[] = [];
	for (const [file, chunks] of files) {
		const best = (chunks[0] as ChunkHit).score;
		let fileScore = (scores.get(file) ?? 0) / (bestFile || 1);
		for (const { scores: known, weight } of ofFiles) fileScore += weight * (known.get(file) ?? 0);
		for (const [index, chunk] of chunks.entries()) {
			const score = fileScore * (best > 0 ? chunk.score / best : 1) * 0.8 ** index;
			(index < CHUNKS_BEFORE_OTHERS ? first : later).push({ ...chunk, score: settled(score) });
		}
	}
	// A file's score may be lower than that of a chunk that waits: order within each part, never across.
	const ordered = [...first.sort(bestFirst), ...later.sort(bestFirst)].slice(0, Math.max(0, limit));
	const top = ordered[0]?.score || 1;
	let ceiling = 1;
	return ordered.map((hit) => {
		ceiling = Math.min(ceiling, hit.score / top);
		return { ...hit, score: settled(ceiling) };
	});
}
