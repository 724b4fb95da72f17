import { STOP_TERMS } from "../../../domain/text/stop-words.js";

/** Only the rarest terms of a query are asked for: a pasted file must not hang the search. */
const MAX_TERMS = 24;
/** A term in more chunks than this costs a scan and tells little; it is dropped where a term ten times as rare is there. */
const COMMON_FROM = 2_000;
const RARER_BY = 10;

/** What to ask for, the rarest first, given how many chunks hold each term of a query. Empty where the index knows none of them. */
export function tellingTerms(counts: ReadonlyMap<string, number>): string[] {
	const known = [...counts].filter(([, count]) => count > 0);
	const telling = known.filter(([term]) => !STOP_TERMS.has(term));
	const candidates = (telling.length > 0 ? telling : known).sort(
		([a, countA], [b, countB]) => countA - countB || (a < b ? -1 : 1),
	);
	const rarest = candidates[0]?.[1] ?? 0;
	return candidates
		.filter(([, count]) => count <= COMMON_FROM || count <= rarest * RARER_BY)
		.slice(0, MAX_TERMS)
		.map(([term]) => term);
}
