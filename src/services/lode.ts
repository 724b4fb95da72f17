import type { EdgeKind } from "../domain/entities.js";
import type { LodeCommands } from "./commands/command.js";
import type { EventEnvelope } from "./events/envelope.js";
import type { GroupCommands } from "./groups/change-groups.js";
import type { GroupReport } from "./groups/group-report.js";
import type { FileRange } from "./reading/read-file.js";
import type {
	CollectReport,
	DiffReport,
	FileReport,
	GraphReport,
	IngestProgress,
	IngestReport,
	LineageReport,
	NeighboursReport,
	OverviewReport,
	ReadyReport,
	RemoveReport,
	RetryReport,
	SearchQuery,
	SearchReplayReport,
	SearchReport,
	SourceReport,
	StatusReport,
	VerifyReport,
} from "./reports.js";
import type { ReplayOptions } from "./search/replay-searches.js";
import type { Authenticator } from "./security/authenticator.js";
import type { OwnApiKeys } from "./security/guarded-keys.js";
import type { OperationName } from "./security/operations.js";
import type { Principal } from "./security/principal.js";
import type { IngestionStatus, LodeViews } from "./viewing/lode-view.js";
import type { PageRequest } from "./viewing/page.js";

export interface IngestOptions {
	readonly ref?: string;
	/** Answer once the work is accepted by Temporal. */
	readonly noWait?: boolean;
	readonly onProgress?: (progress: IngestProgress) => void;
	readonly signal?: AbortSignal;
}

/** All that are given have to hold. */
export interface EventQuery {
	readonly stream?: string;
	/** One of these. */
	readonly types?: readonly string[];
	/** A source's id, or a unique beginning of it, or its address. */
	readonly source?: string;
	/** The position (`sequence_number`) after which they begin; the last ones where omitted. */
	readonly after?: number;
	readonly limit: number;
}

/** A page of ingestions; all that are given have to hold. */
export interface IngestionList extends PageRequest {
	/** A source's id, or a unique beginning of it, or its address. */
	readonly source?: string;
	readonly status?: readonly IngestionStatus[];
}

/** The use cases that need no Temporal server: they read the stores. */
export interface LodeReader {
	search(query: SearchQuery): Promise<SearchReport>;
	/** Runs logged searches again, against another snapshot or model; logs none of that. @throws USAGE */
	replaySearches(options: ReplayOptions): Promise<SearchReplayReport>;
	graph(
		keyOrName: string,
		options: { depth: number; at?: string; source?: string; limit?: number },
	): Promise<GraphReport>;
	/** The edges of one entity, by direction and kind. */
	neighbours(
		keyOrName: string,
		options: {
			direction: "out" | "in" | "both";
			kinds?: readonly EdgeKind[];
			at?: string;
			source?: string;
			limit?: number;
		},
	): Promise<NeighboursReport>;
	/** What an entity derives from (up) and what derives from it (down). */
	lineage(
		keyOrName: string,
		options: { direction: "up" | "down" | "both"; depth: number; at?: string; source?: string; limit?: number },
	): Promise<LineageReport>;
	/** A file of one source; which one may be left out where a single source has the path. */
	file(path: string, options: FileRange & { source?: string; at?: string }): Promise<FileReport>;
	/** One source in one snapshot: what of it there is. */
	overview(source: string, options: { at?: string }): Promise<OverviewReport>;
	/** `source`: that one alone. `lag`: each repository is asked for its head too, and for seconds at most. @throws SOURCE_NOT_FOUND, USAGE (several) */
	sources(options?: { lag?: boolean; source?: string }): Promise<SourceReport[]>;
	/** Of one source (by id, a unique beginning of it, or address), or of all; by source and name. */
	groups(source?: string): Promise<GroupReport[]>;
	/** @throws GROUP_NOT_FOUND, SOURCE_NOT_FOUND */
	group(source: string, name: string): Promise<GroupReport>;
	/** Without an id the latest 20 and every parked one; with a list that page of all, newest first. @throws INGESTION_NOT_FOUND, SOURCE_NOT_FOUND, USAGE */
	status(ingestion?: string, list?: IngestionList): Promise<StatusReport>;
	verify(options: { source?: string; at?: string; onProgress?: (done: string) => void }): Promise<VerifyReport>;
	diff(source: string, from: string, to: string): Promise<DiffReport>;
	/** Events in their order: those after a position, else the last ones. At most 1,000. */
	events(query: EventQuery): Promise<EventEnvelope[]>;
	/** Whether every store answers; never throws. */
	ready(): Promise<ReadyReport>;
	close(): Promise<void>;
}

/** The use cases that start or steer workflows. */
export interface LodeCommander extends GroupCommands {
	ingest(target: string, options: IngestOptions): Promise<IngestReport>;
	/** One parked ingestion, or all of them. */
	retry(ingestion: string | undefined, options: IngestOptions): Promise<RetryReport>;
	cancel(ingestion: string): Promise<StatusReport>;
	remove(source: string): Promise<RemoveReport>;
	collectGarbage(): Promise<CollectReport>;
	close(): Promise<void>;
}

/** What the API serves, to one principal. */
export interface ApiServices {
	readonly reader: LodeReader;
	readonly views: LodeViews;
	readonly commands: LodeCommands;
	readonly keys: OwnApiKeys;
	readonly principal: Principal;
	/** Before anything of a request is read: whether the principal may do such a thing at all. @throws FORBIDDEN */
	permit(operation: OperationName): Promise<void>;
	close(): Promise<void>;
}

/** What a process has opened to serve everybody: to each what they may see. */
export interface OpenedServices {
	as(principal: Principal): ApiServices;
	readonly authenticator: Pick<Authenticator, "authenticate" | "required" | "possible">;
	/** Counts a request. @throws RATE_LIMITED where the principal's quota is used up */
	count(principal: Principal): Promise<void>;
	close(): Promise<void>;
}
