import type { LodeCommands } from "./commands/command.js";
import type {
	CollectReport,
	DiffReport,
	GraphReport,
	IngestProgress,
	IngestReport,
	ReadyReport,
	RemoveReport,
	RetryReport,
	SearchQuery,
	SearchReport,
	SourceReport,
	StatusReport,
	VerifyReport,
} from "./reports.js";
import type { LodeViews } from "./viewing/lode-view.js";

export interface IngestOptions {
	readonly ref?: string;
	/** Answer once the work is accepted by Temporal. */
	readonly noWait?: boolean;
	readonly onProgress?: (progress: IngestProgress) => void;
	readonly signal?: AbortSignal;
}

/** The use cases that need no Temporal server: they read the stores. */
export interface LodeReader {
	search(query: SearchQuery): Promise<SearchReport>;
	graph(
		keyOrName: string,
		options: { depth: number; at?: string; source?: string; limit?: number },
	): Promise<GraphReport>;
	sources(): Promise<SourceReport[]>;
	/** Without an id the latest 20 and every parked one. */
	status(ingestion?: string): Promise<StatusReport>;
	verify(options: { source?: string; at?: string; onProgress?: (done: string) => void }): Promise<VerifyReport>;
	diff(source: string, from: string, to: string): Promise<DiffReport>;
	/** Whether every store answers; never throws. */
	ready(): Promise<ReadyReport>;
	close(): Promise<void>;
}

/** The use cases that start or steer workflows. */
export interface LodeCommander {
	ingest(target: string, options: IngestOptions): Promise<IngestReport>;
	/** One parked ingestion, or all of them. */
	retry(ingestion: string | undefined, options: IngestOptions): Promise<RetryReport>;
	cancel(ingestion: string): Promise<StatusReport>;
	remove(source: string): Promise<RemoveReport>;
	collectGarbage(): Promise<CollectReport>;
	close(): Promise<void>;
}

/** What the API serves. */
export interface ApiServices {
	readonly reader: LodeReader;
	readonly views: LodeViews;
	readonly commands: LodeCommands;
	close(): Promise<void>;
}
