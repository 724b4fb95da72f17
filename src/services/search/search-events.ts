import { type JsonObject, sha256 } from "../../domain/digest.js";
import { errorCode } from "../../domain/errors.js";
import type { SearchQuery, SearchReport } from "../reports.js";

/** Facts about searches. Each is in the stream of the day (UTC) on which its search was received. */
export const SEARCH_QUERY_RECEIVED = "SEARCH_QUERY_RECEIVED";
export const SEARCH_RESULTS_GENERATED = "SEARCH_RESULTS_GENERATED";
export const SEARCH_QUERY_REJECTED = "SEARCH_QUERY_REJECTED";
/** So many searches before it are not told: the event store was away for too long. */
export const SEARCH_EVENTS_LOST = "SEARCH_EVENTS_LOST";

export const searchStream = (day: string): string => `search-${day.slice(0, 10)}`;

/** What events say of the words that a user wrote: all of them, only whether they are the same as others (SHA-256), or nothing. */
export type UserData = "full" | "hashed" | "off";
const USER_DATA = ["text", "like", "path"] as const;

/** Ids of hits beyond these are left out: an answer may have a thousand. */
const MAX_IDS = 100;

export function receivedData(search: string, receivedAt: string, query: SearchQuery, userData: UserData): JsonObject {
	const { correlationId: _, ...asked } = query;
	const said: Record<string, unknown> = { ...asked };
	for (const field of USER_DATA) {
		const value = query[field];
		if (value === undefined || userData === "full") continue;
		delete said[field];
		if (userData === "hashed" && value !== "") said[`${field}Sha256`] = sha256(value);
	}
	// Custom rules are globs that a user wrote.
	if (userData !== "full" && query.grouping !== undefined) said.grouping = { by: query.grouping.by };
	return json({ search, receivedAt, userData, query: said });
}

export function generatedData(
	search: string,
	report: SearchReport,
	{ processingMs, vectorMs }: { readonly processingMs: number; readonly vectorMs: number },
): JsonObject {
	const certainties = report.hits.flatMap(({ certainty }) => certainty ?? []);
	return json({
		search,
		snapshot: report.snapshot,
		processingMs,
		vectorMs,
		model: report.model,
		confidence: certainties.length === 0 ? null : Math.max(...certainties),
		hits: report.hits.length,
		ids: report.hits.slice(0, MAX_IDS).map(({ id }) => id),
	});
}

export function rejectedData(search: string, error: unknown, userData: UserData): JsonObject {
	const code = errorCode(error) ?? "INTERNAL";
	// Messages quote what the user wrote; what is not Lode's own may quote anything.
	const told = userData === "full" && errorCode(error) !== undefined ? { message: (error as Error).message } : {};
	return json({ search, reason: code, ...told });
}

const json = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;
