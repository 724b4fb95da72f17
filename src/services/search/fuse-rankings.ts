import type { ChunkHit } from "../../stores/vectors/vectors.port.js";
import { type FileKey, fileKey } from "./file-history.js";
import { byPlace, onceAPlace } from "./once-a-place.js";
import { PlaceMap } from "./place-map.js";

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
	return arrange([...scoreChunks(rankings), ...others.map((hit) => ({ hit, score: 0 }))], limit, ofFiles);
}

/** A chunk that is ranked. The hit's own score is that of one ranking: hits are made anew of the few that are wanted. */
interface Candidate {
	readonly hit: ChunkHit;
	score: number;
}

/** The chunks of all rankings with their scores added up, unordered. */
function scoreChunks(rankings: readonly Ranking[]): Candidate[] {
	const chunks = new Map<string, Candidate>();
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
	const scored: Candidate[] = [];
	for (const chunk of chunks.values()) {
		if (chunk.score <= 0) continue;
		chunk.score = settled(chunk.score);
		scored.push(chunk);
	}
	return scored;
}

/** Without the last digits, which depend on the order in which a store, its index in memory or another engine adds up. */
const settled = (score: number): number => Math.round(score * 1e9) / 1e9;

const bestFirst = (a: Candidate, b: Candidate): number => b.score - a.score || byPlace(a.hit, b.hit);

function arrange(chunks: Candidate[], limit: number, ofFiles: readonly FileRanking[]): ChunkHit[] {
	const files = byFile(onceAPlace(chunks.sort(bestFirst), ({ hit }) => hit));
	const scores = files.map(({ chunks: ofFile }) =>
		ofFile.slice(0, FILE_CHUNKS).reduce((score, chunk, index) => score + chunk.score * FILE_DECAY ** index, 0),
	);
	const bestFile = scores.reduce((best, score) => Math.max(best, score), 0);
	const first: Candidate[] = [];
	const later: Candidate[] = [];
	for (const [at, { file, chunks: ofFile }] of files.entries()) {
		const best = (ofFile[0] as Candidate).score;
		let fileScore = (scores[at] as number) / (bestFile || 1);
		for (const { scores: known, weight } of ofFiles) fileScore += weight * (known.get(file) ?? 0);
		for (const [index, { hit, score: own }] of ofFile.entries()) {
			const score = settled(fileScore * (best > 0 ? own / best : 1) * 0.8 ** index);
			(index < CHUNKS_BEFORE_OTHERS ? first : later).push({ hit, score });
		}
	}
	// A file's score may be lower than that of a chunk that waits: order within each part, never across.
	const ordered = [...first.sort(bestFirst), ...later.sort(bestFirst)].slice(0, Math.max(0, limit));
	const top = ordered[0]?.score || 1;
	let ceiling = 1;
	return ordered.map(({ hit, score }) => {
		ceiling = Math.min(ceiling, score / top);
		return { ...hit, score: settled(ceiling) };
	});
}

/** In the order of each file's first chunk. */
function byFile(chunks: readonly Candidate[]): readonly { readonly file: FileKey; readonly chunks: Candidate[] }[] {
	const files = new PlaceMap<{ readonly file: FileKey; readonly chunks: Candidate[] }>();
	for (const chunk of chunks) {
		const { hit } = chunk;
		files.of(hit, () => ({ file: fileKey(hit), chunks: [] })).chunks.push(chunk);
	}
	return files.all;
}
