import type { EdgeKind, Entity, EntityKey, EntityKind } from "../../domain/entities.js";
import type { OriginEntry } from "../../domain/origin-entry.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { ObjectContent } from "../../stores/artifacts/artifacts.port.js";
import type { Head, Ingestion, IngestionStatus, Source } from "../../stores/catalog/catalog.port.js";
import type { EventFilter, StoredEvent } from "../../stores/events/events.port.js";
import type { EntityChange, Neighbour } from "../../stores/graph/graph.port.js";
import type { GroupReport } from "../groups/group-report.js";
import type { IngestProgress, SearchQuery, SearchReport, Waiting } from "../reports.js";
import type { FoundPaths } from "../traversal/paths.js";
import type { Bounds, Steps, Walked } from "../traversal/walk.js";
import type { Page, PageRequest } from "./page.js";

export { INGESTION_STATUSES } from "../../stores/catalog/catalog.port.js";
export type { Ingestion, IngestionStatus, Neighbour, Source, StoredEvent };

/** A file of a commit, and its bytes in the archive. */
export interface ArchivedFile {
	readonly source: string;
	readonly path: string;
	/** The SHA-256 of its bytes. */
	readonly object: string;
	/** Bytes. */
	readonly size: number;
	readonly mode: string;
	readonly mediaType: string;
	readonly language: string | null;
	readonly chunks: number;
	/** Why the miner left it, or a part of it, out. */
	readonly skips: NonNullable<OriginEntry["file"]>["skips"];
}

/** What an ingestion published. */
export interface PublishedSnapshot {
	readonly number: number;
	/** ISO 8601, UTC. */
	readonly publishedAt: string;
	readonly ingestion: Ingestion;
}

export interface DiffPage extends Page<EntityChange> {
	readonly source: string;
	/** Commits. */
	readonly from: string;
	readonly to: string;
}

/**
 * What one request sees: all of it from one snapshot. `source` is an id, a unique beginning of one, or an address; every source where omitted.
 * Methods that name a source throw SOURCE_NOT_FOUND; all throw SNAPSHOT_EXPIRED where retention has left the snapshot behind.
 */
export interface LodeView {
	readonly snapshot: Snapshot;
	/** The reader named the snapshot: what is no record in a store (ingestions, events) is shown as of then. */
	readonly timeTravel: boolean;

	sources(): readonly Source[];
	source(wanted: string): Source;
	head(source: string): Promise<Head | undefined>;
	groups(source: string): Promise<readonly GroupReport[]>;
	/** Newest first. */
	snapshots(source: string | undefined, page: PageRequest): Promise<Page<PublishedSnapshot>>;
	ingestions(
		filter: { readonly source?: string; readonly status?: readonly IngestionStatus[] },
		page: PageRequest,
	): Promise<Page<Ingestion>>;
	/** @throws INGESTION_NOT_FOUND */
	ingestion(id: string): Promise<Ingestion>;

	/** By key or name, with others that the name may have meant. @throws ENTITY_NOT_FOUND */
	entity(keyOrName: string, source?: string): Promise<{ entity: Entity; alternatives: readonly Entity[] }>;
	entities(query: EntityFilter, page: PageRequest): Promise<Page<Entity>>;
	/** Unknown keys are left out. */
	entitiesByKey(keys: readonly EntityKey[], source?: string): Promise<readonly Entity[]>;
	neighbours(
		keys: readonly EntityKey[],
		options: { readonly direction: "out" | "in"; readonly kinds?: readonly EdgeKind[]; readonly limit: number },
		source?: string,
	): Promise<readonly Neighbour[]>;
	paths(
		ends: { readonly from: EntityKey; readonly to: EntityKey },
		steps: Steps,
		bounds: Bounds,
		source?: string,
	): Promise<FoundPaths>;
	lineage(entity: EntityKey, direction: "up" | "down", bounds: Bounds, source?: string): Promise<Walked>;
	impact(entity: EntityKey, bounds: Bounds, source?: string): Promise<Walked>;
	search(query: Omit<SearchQuery, "at">): Promise<SearchReport>;
	/** `from` and `to`: a snapshot number, a time or a commit; `to` is this view's snapshot where omitted. */
	diff(source: string, from: string, to: string | undefined, page: PageRequest): Promise<DiffPage>;

	/** By path in byte order, below a folder where one is given. */
	files(source: string, folder: string | undefined, page: PageRequest): Promise<Page<ArchivedFile>>;
	/** @throws ARTIFACT_NOT_FOUND */
	file(source: string, path: string): Promise<ArchivedFile>;
	events(filter: EventFilter, page: PageRequest): Promise<Page<StoredEvent>>;
}

export interface EntityFilter {
	readonly source?: string;
	readonly name?: string;
	/** `name` is a beginning. */
	readonly prefix?: boolean;
	readonly kinds?: readonly EntityKind[];
}

export interface LodeViews {
	/**
	 * Takes one snapshot: the one that `at` names (a number, a time or a commit, of `source` where two sources have the commit), else the
	 * latest. `live`: what is no record in a store is shown as it is now all the same. @throws USAGE, SNAPSHOT_NOT_FOUND, COMMIT_NOT_FOUND
	 */
	open(options?: { readonly at?: string; readonly source?: string; readonly live?: boolean }): Promise<LodeView>;
	/** An object of the archive, read as it is taken. @throws ARTIFACT_NOT_FOUND, and STORE_CORRUPT before the last piece */
	content(object: string): Promise<ObjectContent>;
	/** How far an ingestion is, and what its activities are tried again for; undefined where it has ended or nobody can be asked. */
	progress(
		ingestion: Ingestion,
	): Promise<{ readonly progress?: IngestProgress; readonly waiting: readonly Waiting[] } | undefined>;
	/** As it is now. @throws INGESTION_NOT_FOUND */
	ingestion(id: string): Promise<Ingestion>;
	/** Where the Temporal Web UI shows a workflow; null where there is none. */
	workflowUrl(workflowId: string, runId?: string): Promise<string | null>;
	/** Events from now on, or after a position. */
	follow(filter: EventFilter, after: number | undefined, signal: AbortSignal): AsyncGenerator<StoredEvent, void, void>;
}
