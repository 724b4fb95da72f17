import { STOP_TERMS } from "../../domain/text/stop-words.js";
import { termPlaces, textTerms } from "../../domain/text/terms.js";

/** A range of a text: UTF-16 offsets, `end` exclusive. */
export interface TextRange {
	readonly start: number;
	readonly end: number;
}

/** A text that is one word over and over needs no more of it shown. */
const MAX_RANGES = 200;

/** Finds where a query's terms stand in texts, as full text compares them: by stems, and by parts of identifiers. In order; ranges that touch are one. */
export function highlighter(query: string): (text: string) => TextRange[] {
	const all = textTerms(query);
	const telling = all.filter((term) => !STOP_TERMS.has(term));
	const wanted = new Set(telling.length > 0 ? telling : all);
	return (text) => {
		if (wanted.size === 0) return [];
		const found: TextRange[] = [];
		for (const { term, start, end } of termPlaces(text)) {
			if (!wanted.has(term)) continue;
			found.push({ start, end });
			// Twice as many: some fall together below.
			if (found.length >= MAX_RANGES * 2) break;
		}
		const ranges: TextRange[] = [];
		for (const range of found.sort((a, b) => a.start - b.start || a.end - b.end)) {
			const last = ranges.at(-1);
			if (last && range.start <= last.end)
				ranges[ranges.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
			else ranges.push(range);
		}
		return ranges.slice(0, MAX_RANGES);
	};
}
