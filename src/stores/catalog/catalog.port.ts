import type { Tally } from "../../domain/digest.js";
import type { Group } from "../../domain/group.js";
import type { OriginEntry } from "../../domain/origin-entry.js";
import type { Seq, Snapshot } from "../../domain/snapshot.js";
import type { StoredEvent } from "../events/events.port.js";
import type { StoreProblem } from "../versioned.port.js";

export type SourceKind = "git" | "folder" | "lakefs";

export interface Source {
	readonly id: string;
	readonly kind: SourceKind;
	/** A URL without credentials, or an absolute path. */
	readonly address: string;
	/** The branch followed; `HEAD` where the repository's HEAD is detached; "" for folders. */
	readonly branch: string;
	readonly policy: "every" | "head";
	readonly createdAt: string;
	/** Marked by `markRemoved`: readers do not see it any more, and nothing begins. */
	readonly removing?: true;
}

export type { OriginEntry };

export interface StoreTotals {
	readonly catalog: Tally;
	readonly graph: Tally;
	readonly vectors: Tally;
	readonly artifacts: Tally;
}

/**
 * staging → published | aborted; aborted → released (everything discarded). A released one is `parked` when it failed,
 * `cancelled` when a user stopped it, `abandoned` when its workflow vanished.
 */
export const INGESTION_STATUSES = ["staging", "published", "aborted", "parked", "cancelled", "abandoned"] as const;
export type IngestionStatus = (typeof INGESTION_STATUSES)[number];

export interface FileCounts {
	readonly added: number;
	readonly changed: number;
	readonly removed: number;
	readonly failed: number;
}

export interface IngestionStats {
	readonly files: FileCounts;
	/** Entity states staged. */
	readonly entities: number;
	readonly chunks: number;
	/** Texts sent to the embedding model. */
	readonly embedded: number;
	/** Chunks whose embedding came from the cache. */
	readonly reused: number;
}

export interface Failure {
	readonly code: string;
	readonly message: string;
	readonly next?: string;
}

export interface Ingestion {
	readonly id: string;
	readonly seq: Seq;
	readonly source: string;
	readonly commit: string;
	/** The last published commit when it began; undefined for the first. */
	readonly baseCommit?: string;
	/** The seq of that commit's ingestion: what publish requires to be still the head. */
	readonly baseSeq?: Seq;
	/** Hash of miner versions, chunk settings, model and filters. */
	readonly recipe: string;
	readonly status: IngestionStatus;
	readonly workflowId: string;
	readonly runId: string;
	readonly startedAt: string;
	readonly endedAt?: string;
	/** The number of the snapshot that it published. */
	readonly snapshot?: number;
	readonly stats?: IngestionStats;
	readonly failure?: Failure;
	/** After it: all that is visible of its source. */
	readonly totals?: StoreTotals;
}

export interface BeginRequest {
	readonly source: string;
	readonly commit: string;
	readonly recipe: string;
	readonly workflowId: string;
	/** The key of begin: a repeat returns the same ingestion. */
	readonly runId: string;
}

export type BeginResult =
	| { readonly outcome: "started"; readonly ingestion: Ingestion; readonly base: Snapshot; readonly rebuild: boolean }
	/** The commit is the head, mined with the same recipe: nothing to do. */
	| { readonly outcome: "unchanged"; readonly ingestion: Ingestion; readonly snapshot: Snapshot }
	/** Another ingestion of the source is staging or aborted and not yet released. */
	| { readonly outcome: "busy"; readonly by: Ingestion };

export interface BatchRecord {
	/** Names the batch within the ingestion; recording it again replaces it. */
	readonly batch: string;
	/** Origins of the base that this batch retires (modified and removed ones). */
	readonly retired: readonly string[];
	readonly entries: readonly OriginEntry[];
}

/** What the manifest says that the stores must hold for a seq. */
export interface ExpectedStaged {
	readonly origins: number;
	readonly graph: { readonly added: Tally; readonly retired: Tally };
	readonly vectors: { readonly added: Tally; readonly retired: Tally };
}

export type SnapshotSelector =
	| { readonly by: "latest" }
	| { readonly by: "number"; readonly number: number }
	/** The last one published at or before (ISO 8601). */
	| { readonly by: "time"; readonly time: string }
	/** The one that the latest published ingestion of this commit made; `commit` may be a unique prefix of at least 7. */
	| { readonly by: "commit"; readonly commit: string; readonly source?: string };

export interface Head {
	readonly source: string;
	readonly commit: string;
	readonly ingestion: string;
	readonly seq: Seq;
	readonly snapshot: number;
	readonly totals: StoreTotals;
}

export interface GroupChanges {
	readonly save: readonly Group[];
	readonly remove: readonly string[];
}

/** What one file of one version refers to. */
export interface Reference {
	readonly cursor: string;
	readonly artifact: string;
	readonly mined: string;
	/** Mined files of groups with other chunk settings than `default`; left out where there are none. */
	readonly further?: readonly string[];
}

/** What an archive holds of a catalog: enough to make it again. */
export interface ArchivedHistory {
	/** All events in order, from position 1 on without gaps. */
	events(): AsyncIterable<StoredEvent>;
	/** What a published ingestion added and retired, in any order. */
	changes(source: string, seq: Seq): AsyncIterable<{ readonly entry: OriginEntry } | { readonly retired: string }>;
}

export interface Restored {
	readonly events: number;
	readonly entries: number;
	/** The highest seq that the events tell of. */
	readonly knownSeq: Seq;
	/** The first one that will be given. */
	readonly nextSeq: Seq;
}

/**
 * The small transactional heart. Begin, publish, abort and release serialise on one row; every transition appends its event to the
 * event store in the same transaction (streams `source-<id>` and `ingestion-<id>`).
 */
export interface Catalog {
	/** Creates the source and its group `default`, or returns what is there. `model` is recorded in the group when it is created. */
	putSource(source: Omit<Source, "createdAt" | "removing">, defaultGroup: Group): Promise<Source>;
	source(id: string): Promise<Source | undefined>;
	sources(): Promise<Source[]>;
	groups(source: string): Promise<Group[]>;
	putGroup(group: Group): Promise<void>;
	/** Never `default`. One that is not there is no error. */
	removeGroup(source: string, name: string): Promise<void>;
	/**
	 * Changes several groups of a source in one transaction, and returns what is there afterwards. `change` decides from what there is, and
	 * from whether an ingestion of the source is open; it is pure, and may be asked more than once. @throws SOURCE_NOT_FOUND, what `change` throws
	 */
	changeGroups(source: string, change: (groups: readonly Group[], open: boolean) => GroupChanges): Promise<Group[]>;

	begin(request: BeginRequest): Promise<BeginResult>;
	/** @throws SEQ_CLOSED when the ingestion is no longer staging */
	recordBatch(seq: Seq, record: BatchRecord): Promise<void>;
	/** Takes back what batches recorded whose name begins so. @throws SEQ_CLOSED where there are any and the ingestion is no longer staging */
	undoBatches(seq: Seq, prefix: string): Promise<void>;
	expected(seq: Seq): Promise<ExpectedStaged>;
	/** The entries that a seq added (`added`) and those of its base that it retires (`retired`), ordered by origin; a page starts after `after`. */
	changedEntries(
		seq: Seq,
		which: "added" | "retired",
		after: string | undefined,
		limit: number,
	): Promise<OriginEntry[]>;
	/** First of publish and abort wins; a repeat returns the first's result. @throws BASE_MOVED, SEQ_CLOSED (aborted) */
	publish(seq: Seq, stats: IngestionStats): Promise<{ ingestion: Ingestion; snapshot: Snapshot }>;
	/** @throws SEQ_CLOSED when it is already published; a repeat returns the first. */
	abort(seq: Seq, failure: Failure): Promise<Ingestion>;
	/** After every store discarded the seq: deletes its entries, takes it out of `excluding`. Repeats are no-ops. */
	release(seq: Seq, status: "parked" | "cancelled" | "abandoned"): Promise<Ingestion>;

	ingestion(id: string): Promise<Ingestion | undefined>;
	/** Newest first. */
	ingestions(filter: {
		source?: string;
		status?: readonly IngestionStatus[];
		commit?: string;
		limit: number;
	}): Promise<Ingestion[]>;
	/** Seqs that are staging or aborted and not released. */
	openSeqs(): Promise<Seq[]>;

	/** @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_EXPIRED (older than the horizon of a source in `sources`, default: any), NOTHING_PUBLISHED */
	snapshot(selector: SnapshotSelector, sources?: readonly string[]): Promise<Snapshot>;
	snapshots(source: string, limit: number): Promise<{ snapshot: Snapshot; ingestion: Ingestion }[]>;
	/** The last published ingestion of a source in a snapshot. */
	head(snapshot: Snapshot, source: string): Promise<Head | undefined>;
	/** The same of many sources that are there, in one question; those without a head are left out. */
	heads(snapshot: Snapshot, sources: readonly string[]): Promise<ReadonlyMap<string, Head>>;

	/** Visible entries, ordered by origin in byte order; a page starts after `after`. */
	entries(snapshot: Snapshot, source: string, after: string | undefined, limit: number): Promise<OriginEntry[]>;
	entriesOf(snapshot: Snapshot, source: string, origins: readonly string[]): Promise<OriginEntry[]>;
	/** Whether any file entry that the snapshot shows lies under the folder (of any depth; "" for all), other than the paths in `without`. */
	hasFilesUnder(snapshot: Snapshot, source: string, folder: string, without: readonly string[]): Promise<boolean>;
	/** Every reference to an artifact or to mined files that some kept version makes: for garbage collection. */
	references(after: string | undefined, limit: number): Promise<Reference[]>;

	/**
	 * Moves the horizon of a source to what its retention keeps, never to a snapshot superseded later than `graceBefore` (ISO 8601).
	 * Returns the horizon, undefined where everything is kept. Older snapshots answer SNAPSHOT_EXPIRED from then on.
	 */
	moveHorizon(source: string, graceBefore: string): Promise<Snapshot | undefined>;
	/** Deletes entries retired before the horizon. */
	collect(source: string, horizon: Snapshot): Promise<number>;
	/** Sums of the visible entries, recomputed; the digest of an entry covers all its fields. */
	tally(snapshot: Snapshot, source: string): Promise<StoreTotals>;
	/** Marks the source as being removed, so that nothing begins; `dropSource` then deletes all of it but its events. */
	markRemoved(source: string): Promise<void>;
	dropSource(source: string): Promise<void>;
	/**
	 * Fills an empty catalog, and its event log, from an archive, in one transaction; with `replace` what is there goes first. Seqs up to
	 * `highestSeq` and as many snapshot numbers are passed over: ingestions that were not archived may have had them. Ingestions that were
	 * open stay open, sources that were being removed come back without their entries. Leaves a checkpoint of the consumer `rebuild`, to be
	 * forgotten when the other stores agree.
	 * @throws USAGE when the catalog is not empty, NOTHING_ARCHIVED, STORE_CORRUPT
	 */
	restore(history: ArchivedHistory, options: { highestSeq: Seq; replace: boolean }): Promise<Restored>;
	/** The engine's integrity, and rows that contradict each other or their events. */
	check(): Promise<StoreProblem[]>;
	close(): Promise<void>;
}
