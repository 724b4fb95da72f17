import { textTerms } from "../../../domain/text/terms.js";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import { tellingTerms } from "../text/query-terms.js";
import type { FullTextIndex } from "./schema.js";

/** Of a query only its beginning is read. */
const MAX_QUERY = 4_000;

/** The terms of a user's words, each once, in their order. */
export const queryWords = (text: string): string[] => [...new Set(textTerms(text.slice(0, MAX_QUERY)))];

/** An FTS5 expression for the words of a user, or undefined where the index knows none of them. */
export function textQuery(database: SqliteDatabase, index: FullTextIndex, text: string): string | undefined {
	const counts = new Map<string, number>();
	for (const term of queryWords(text)) {
		counts.set(
			term,
			database.prepare(`SELECT doc FROM ${index.rows} WHERE term = ?`).get<{ doc: number }>([term])?.doc ?? 0,
		);
	}
	const kept = tellingTerms(counts);
	if (kept.length === 0) return undefined;
	// Terms hold no quote: letters, digits and marks only (see textTerms).
	return kept.map((term) => `"${term}"`).join(" OR ");
}
