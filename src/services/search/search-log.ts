import type { SearchQuery, SearchReport } from "../reports.js";

/** Hears of one search: how it ended, once. Never throws and never waits. */
export interface LoggedSearch {
	generated(report: SearchReport, times: { readonly processingMs: number; readonly vectorMs: number }): void;
	rejected(error: unknown): void;
}

/** Hears of every search. */
export interface SearchLog {
	/** `source`: the id of the one that the query names, where it names one that there is. */
	received(query: SearchQuery, source?: string): LoggedSearch;
	/** Resolves when all that it heard is kept, or after some seconds where that cannot be. */
	close(): Promise<void>;
}

export const NO_LOG: SearchLog = {
	received: () => ({ generated: () => {}, rejected: () => {} }),
	close: async () => {},
};
