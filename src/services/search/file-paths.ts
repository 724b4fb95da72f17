import { STOP_TERMS } from "../../domain/text/stop-words.js";
import { textTerms } from "../../domain/text/terms.js";
import { type FileKey, fileKey } from "./file-history.js";

/** As everywhere; paths hardly differ in what their length says. */
const [K1, B] = [1.2, 0.3];
/** Paths whose terms are remembered: some megabytes. */
const MAX_KNOWN = 10_000;

/** BM25 of the paths alone, among these files. Scores 0..1, the best is 1; files whose path has no word of the query are left out. */
export function rankByPath(
	query: string,
	files: readonly { readonly source: string; readonly path: string }[],
): ReadonlyMap<FileKey, number> {
	const wanted = new Set(textTerms(query).filter((term) => !STOP_TERMS.has(term)));
	const paths = files.map((file) => ({ file, terms: termsOf(file.path) }));
	const mean = paths.reduce((total, { terms }) => total + terms.size, 0) / Math.max(1, paths.length);
	const scores = new Map<FileKey, number>();
	let best = 0;
	for (const term of wanted) {
		const having = paths.filter(({ terms }) => terms.has(term));
		const rarity = Math.log(1 + (paths.length - having.length + 0.5) / (having.length + 0.5));
		for (const { file, terms } of having) {
			const key = fileKey(file);
			const score = (scores.get(key) ?? 0) + (rarity * (K1 + 1)) / (1 + K1 * (1 - B + (B * terms.size) / mean));
			scores.set(key, score);
			best = Math.max(best, score);
		}
	}
	for (const [key, score] of scores) scores.set(key, score / best);
	return scores;
}

/** A search asks for those of some hundred paths, and the next one for many of them again. */
const known = new Map<string, ReadonlySet<string>>();
function termsOf(path: string): ReadonlySet<string> {
	const there = known.get(path);
	if (there !== undefined) return there;
	if (known.size >= MAX_KNOWN) known.clear();
	const terms = new Set(textTerms(path));
	known.set(path, terms);
	return terms;
}
