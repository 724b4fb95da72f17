import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { STOP_TERMS } from "../text/stop-words.js";
import { textTerms } from "../text/terms.js";

/** Of a query only its beginning is read, and only its rarest terms are asked for: a pasted file must not hang the search. */
const MAX_QUERY = 4_000;
const MAX_TERMS = 24;
/** A term in more chunks than this costs a scan and tells little; it is dropped where a term ten times as rare is there. */
const COMMON_FROM = 2_000;
const RARER_BY = 10;

/** An FTS5 expression for the words of a user, or undefined where the index knows none of them. */
export function textQuery(database: SqliteDatabase, text: string): string | undefined {
	const counts = new Map<string, number>();
	for (const term of textTerms(text.slice(0, MAX_QUERY))) {
		if (counts.has(term)) continue;
		counts.set(
			term,
			database.prepare("SELECT doc FROM term_rows WHERE term = ?").get<{ doc: number }>([term])?.doc ?? 0,
		);
	}
	const known = [...counts].filter(([, count]) => count > 0);
	const telling = known.filter(([term]) => !STOP_TERMS.has(term));
	const candidates = (telling.length > 0 ? telling : known).sort(
		([a, countA], [b, countB]) => countA - countB || (a < b ? -1 : 1),
	);
	const rarest = candidates[0]?.[1];
	if (rarest === undefined) return undefined;
	const kept = candidates.filter(([, count]) => count <= COMMON_FROM || count <= rarest * RARER_BY).slice(0, MAX_TERMS);
	// Terms hold no quote: letters, digits and marks only (see textTerms).
	return kept.map(([term]) => `"${term}"`).join(" OR ");
}
