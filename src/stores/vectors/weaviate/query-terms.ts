import { STOP_TERMS } from "../text/stop-words.js";
import { textTerms } from "../text/terms.js";

/** Of a query only its beginning is read, and so many terms are asked for: a pasted file must not hang the search. */
const MAX_QUERY = 4_000;
const MAX_TERMS = 24;

/**
 * The terms of a user's words; empty where there are none. Words that tell nothing are left out where others are there; of too many the
 * longest are taken, which are the rarest as a rule.
 */
export function queryTerms(text: string): string[] {
	const terms = [...new Set(textTerms(text.slice(0, MAX_QUERY)))];
	const telling = terms.filter((term) => !STOP_TERMS.has(term));
	const kept = telling.length > 0 ? telling : terms;
	if (kept.length <= MAX_TERMS) return kept;
	return [...kept].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).slice(0, MAX_TERMS);
}
