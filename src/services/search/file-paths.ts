import { STOP_TERMS } from "../../domain/text/stop-words.js";
import { textTerms } from "../../domain/text/terms.js";
import { type FileKey, fileKey } from "./file-history.js";

/** As everywhere; paths hardly differ in what their length says. */
const [K1, B] = [1.2, 0.3];

/** BM25 of the paths alone, among these files. Scores 0..1, the best is 1; files whose path has no word of the query are left out. */
export function rankByPath(
	query: string,
	files: readonly { readonly source: string; readonly path: string }[],
): ReadonlyMap<FileKey, number> {
	const wanted = new Set(textTerms(query).filter((term) => !STOP_TERMS.has(term)));
	const terms = files.map((file) => ({ key: fileKey(file), terms: new Set(textTerms(file.path)) }));
	const mean = terms.reduce((total, each) => total + each.terms.size, 0) / Math.max(1, terms.length);
	const scores = new Map<FileKey, number>();
	let best = 0;
	for (const term of wanted) {
		const having = terms.filter((each) => each.terms.has(term));
		const rarity = Math.log(1 + (terms.length - having.length + 0.5) / (having.length + 0.5));
		for (const each of having) {
			const score =
				(scores.get(each.key) ?? 0) + (rarity * (K1 + 1)) / (1 + K1 * (1 - B + (B * each.terms.size) / mean));
			scores.set(each.key, score);
			best = Math.max(best, score);
		}
	}
	for (const [key, score] of scores) scores.set(key, score / best);
	return scores;
}
