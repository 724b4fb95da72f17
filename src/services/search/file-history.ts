import type { ChunkHit } from "../../stores/vectors/vectors.port.js";

/** A file of a source: `source` and `path` in one key. */
export type FileKey = string;
export const fileKey = (file: { readonly source: string; readonly path: string }): FileKey =>
	`${file.source}\0${file.path}`;

/** An earlier commit that says what a query says. */
interface SaidBefore {
	/** BM25 of its subject. */
	readonly score: number;
	readonly files: readonly FileKey[];
}

/** How many of the best commits are asked whether they agree, and over how many first files. */
const AGREEING = 30;
const FIRST_FILES = 10;

export function placeOf(file: FileKey): { source: string; path: string } {
	const at = file.indexOf("\0");
	return { source: file.slice(0, at), path: file.slice(at + 1) };
}

/** The paths that a commit touched, from its record. */
export const touchedPaths = (hit: Pick<ChunkHit, "text">): string[] => [...new Set(hit.text.split("\n").slice(1))];

/**
 * Files by the earlier commits that say what the query says: each gives its score to the files it touched, less where it touched many. Scores
 * 0..1, and for each source at most what its history is worth for this query (see `agreement`). Files that are gone get none.
 */
export function rankByHistory(
	commits: readonly ChunkHit[],
	exists: (file: FileKey) => boolean,
): ReadonlyMap<FileKey, number> {
	const bySource = new Map<string, SaidBefore[]>();
	for (const hit of commits) {
		const said = { score: hit.score, files: touchedPaths(hit).map((path) => fileKey({ source: hit.source, path })) };
		const known = bySource.get(hit.source);
		if (known) known.push(said);
		else bySource.set(hit.source, [said]);
	}
	const ranked = new Map<FileKey, number>();
	let best = 0;
	for (const said of bySource.values()) {
		const files = [...sum(said)].filter(([file]) => exists(file));
		for (const [, score] of files) best = Math.max(best, score);
		const worth = Math.sqrt(agreement(said.slice(0, AGREEING), exists));
		for (const [file, score] of files) ranked.set(file, score * worth);
	}
	for (const [file, score] of ranked) ranked.set(file, best > 0 ? score / best : 0);
	return ranked;
}

/**
 * Whether commits that say the same touched the same files, 0..1: each commit is left out in turn, its files are foretold from the others,
 * and the share of them among the first ten counts, by the commit's score. So a history whose subjects tell nothing, or whose
 * files moved since, weighs nothing.
 */
export function agreement(commits: readonly SaidBefore[], exists: (file: FileKey) => boolean): number {
	const all = sum(commits);
	let foretold = 0;
	let total = 0;
	for (const commit of commits) {
		const own = new Set(commit.files);
		const share = shareOf(commit);
		const first = [...all]
			.map(([file, score]) => [file, own.has(file) ? score - share : score] as const)
			.filter(([file, score]) => score > 1e-9 && exists(file))
			.sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || (a < b ? -1 : 1))
			.slice(0, FIRST_FILES);
		foretold += (commit.score * first.filter(([file]) => own.has(file)).length) / Math.min(FIRST_FILES, own.size);
		total += commit.score;
	}
	return total > 0 ? foretold / total : 0;
}

const shareOf = ({ score, files }: SaidBefore): number => score / Math.sqrt(files.length);

function sum(commits: readonly SaidBefore[]): Map<FileKey, number> {
	const sums = new Map<FileKey, number>();
	for (const commit of commits) {
		for (const file of commit.files) sums.set(file, (sums.get(file) ?? 0) + shareOf(commit));
	}
	return sums;
}
