import type { JsonObject, Tally } from "../domain/digest.js";
import type { Entity, EntityKind } from "../domain/entities.js";
import type { ChunkKind } from "../domain/mined-file.js";
import type { RankAgreement } from "../domain/rank-agreement.js";
import type { Failure, FileCounts, Ingestion, Source } from "../stores/catalog/catalog.port.js";
import type { EntityChange, Neighbour } from "../stores/graph/graph.port.js";
import type { StoreProblem } from "../stores/versioned.port.js";
import type { IngestState } from "../workflows/contracts/ingest-commit.js";
import type { ReindexState } from "../workflows/contracts/reindex-source.js";
import type { HitGroup, HitGrouping } from "./search/group-hits.js";
import type { TextRange } from "./search/highlights.js";
import type { HitContext } from "./search/hit-context.js";
import type { Provenance } from "./search/provenance.js";

/** The JSON that others rely on: the CLI prints these, API and MCP answer with them. */

export interface IngestReport {
	/** Null when `--no-wait` did not wait until it began: it waits for its turn or for a worker. */
	readonly ingestion: string | null;
	readonly source: string;
	readonly commit: string;
	/** The snapshot in which it is visible; null when `--no-wait` did not wait for it. */
	readonly snapshot: number | null;
	/** `published`: new; `unchanged`: it was the head already; `started`: not waited for. */
	readonly outcome: "published" | "unchanged" | "superseded" | "started";
	readonly files: FileCounts;
	readonly entities: number;
	readonly chunks: number;
	readonly embedded: number;
	readonly reused: number;
	readonly durationMs: number;
	readonly workflowId: string;
	/** Null as `ingestion` is. */
	readonly runId: string | null;
}

/** While it runs: asked from the workflow by a query. */
export type IngestProgress = IngestState;

/** While a re-index runs: asked from the workflow by a query. */
export type ReindexProgress = ReindexState;

export interface SearchQuery {
	readonly text: string;
	readonly source?: string;
	readonly group?: string;
	readonly kinds?: readonly ChunkKind[];
	readonly path?: string;
	readonly limit: number;
	/** A snapshot number, an ISO 8601 time, or a commit. */
	readonly at?: string;
	readonly languages?: readonly string[];
	/** Only what came (or was changed) after this snapshot, time or commit, and by that one. */
	readonly since?: string;
	readonly until?: string;
	/** Only groups indexed with this embedding model. */
	readonly model?: string;
	/** Instead of `text`, which is then empty: the id of a hit, a path, or an entity by key or name, whose like is looked for. */
	readonly like?: string;
	/** Put hits together. */
	readonly grouping?: HitGrouping;
	/** Answer with the graph around each hit. */
	readonly context?: boolean;
	/** Answer with where each hit comes from. */
	readonly provenance?: boolean;
	/** Ties the search's events to what asked for it; made up where it is missing. */
	readonly correlationId?: string;
}

export interface SearchHit {
	readonly source: string;
	readonly commit: string;
	readonly path: string;
	readonly startLine: number;
	readonly endLine: number;
	readonly kind: ChunkKind;
	readonly symbol: string | null;
	/** 0..1, comparable within one answer only. */
	readonly score: number;
	readonly text: string;
	/** What plugins say of it, by their names. */
	readonly annotations?: Readonly<Record<string, JsonObject>>;
	/** Names the chunk by its place (source, group, ordinal, path): it holds over versions, and `like` takes it. */
	readonly id: string;
	readonly group: string;
	/** 0-based position of the chunk in its file. */
	readonly ordinal: number;
	readonly language: string | null;
	/** The embedding model of its group. */
	readonly model: string;
	/** (1 + cosine) / 2 of its vector and the question's, 0..1: comparable over answers of one model. Null where its model did not rank. */
	readonly certainty: number | null;
	/** Where the question's words stand in `text`. */
	readonly highlights: readonly TextRange[];
	/** Where it was asked for. */
	readonly context?: HitContext;
	readonly provenance?: Provenance;
}

export interface SearchReport {
	readonly snapshot: number;
	/** The id of the embedding model that ranked; several joined by `,` where the sources' models differ. */
	readonly model: string;
	readonly tookMs: number;
	readonly hits: readonly SearchHit[];
	/** Hooks of plugins that failed and were left out. */
	readonly pluginProblems?: readonly string[];
	/** Where a grouping was asked for. */
	readonly groups?: readonly HitGroup[];
	/** Models in scope whose vectors did not rank, and why. */
	readonly unavailable?: readonly { readonly model: string; readonly reason: string }[];
}

/** How searches that were logged are answered now, or by another model. */
export interface SearchReplayReport {
	readonly since: string;
	readonly replayed: number;
	/** Of them, those whose hits or their order differ. */
	readonly changed: number;
	/** Means over the searches; null where there is none. */
	readonly overlap: number | null;
	readonly correlation: number | null;
	readonly fileOverlap: number | null;
	/** Searches that could not be run again: events without user data, without an answer; and those before the newest `limit`. */
	readonly leftOut: { readonly withoutText: number; readonly withoutAnswer: number; readonly older: number };
	readonly failed: readonly { readonly search: string; readonly code: string }[];
	/** Oldest first. */
	readonly searches: readonly (RankAgreement & {
		readonly search: string;
		readonly receivedAt: string;
		readonly text: string;
		readonly before: { readonly snapshot: number; readonly model: string; readonly hits: number };
		readonly after: { readonly snapshot: number; readonly model: string; readonly hits: number };
		/** The same of files: chunks of a file get other numbers when it changes. */
		readonly files: RankAgreement;
		/** Ids of hits that are there now, and that were. */
		readonly gained: readonly string[];
		readonly lost: readonly string[];
	})[];
}

export interface GraphReport {
	readonly snapshot: number;
	readonly entity: Entity;
	/** Other entities that the name may have meant. */
	readonly alternatives: readonly Entity[];
	/** Nearest first; `depth` is the distance from the entity. */
	readonly edges: readonly (Neighbour & { readonly depth: number })[];
	/** What the edges touch, by key. */
	readonly entities: Readonly<Record<string, Entity>>;
	/** An edge list was cut. */
	readonly truncated: boolean;
}

/** How a source's published commit stands to its repository at this moment. */
export interface SourceLag {
	/**
	 * `current`: the branch's head is published; `behind`: it is not; `ahead`: all of it is and more, the branch was moved back;
	 * `unknown`: the repository did not say.
	 */
	readonly status: "current" | "behind" | "ahead" | "unknown";
	/** The branch's head; null where it is unknown. */
	readonly head: string | null;
	/** Commits of the branch that are not published; null where that cannot be told without fetching them. */
	readonly commits: number | null;
	/** When the oldest of them was made; null where nothing tells. */
	readonly since: string | null;
	/** `CODE: message`; null where it answered. */
	readonly problem: string | null;
}

/** The edges of one entity. */
export interface NeighboursReport extends Omit<GraphReport, "edges"> {
	readonly edges: readonly Neighbour[];
}

/** What an entity is derived from, and what is derived from it. */
export interface LineageReport extends Omit<GraphReport, "edges"> {
	/** Nearest first; an edge leaves what is derived. Empty where it was not asked for. */
	readonly up: GraphReport["edges"];
	readonly down: GraphReport["edges"];
}

/** A part of a file's text as it was in a snapshot. */
export interface FileReport {
	readonly snapshot: number;
	readonly source: string;
	readonly commit: string;
	readonly path: string;
	/** SHA-256 of the bytes: their address in the archive. */
	readonly artifact: string;
	/** Bytes. */
	readonly size: number;
	readonly mode: "file" | "executable" | "symlink";
	readonly language: string | null;
	readonly mediaType: string | null;
	/** Of the whole file; 0 where it has no text. */
	readonly lines: number;
	/** Lines of `text`, 1-based, inclusive; 0 where there are none. */
	readonly startLine: number;
	readonly endLine: number;
	/** Null where it is no text that can be shown; `skipped` says why. */
	readonly text: string | null;
	readonly skipped: string | null;
	/** There is more after `text`. */
	readonly truncated: boolean;
}

/** One source in one snapshot. */
export interface OverviewReport {
	readonly snapshot: number;
	readonly source: Source;
	/** Published in this snapshot, by this ingestion. */
	readonly commit: string;
	readonly ingestion: string;
	readonly publishedAt: string | null;
	/** The embedding model of its group `default`. */
	readonly model: string;
	/** How many entities of each kind are visible in it. */
	readonly entities: Readonly<Partial<Record<EntityKind, number>>>;
	readonly files: number;
	readonly chunks: number;
}

export interface SourceReport extends Source {
	readonly commit: string | null;
	readonly snapshot: number | null;
	readonly publishedAt: string | null;
	readonly model: string;
	readonly files: number;
	readonly entities: number;
	readonly chunks: number;
	/** Webhooks that were dispatched to it since it was added. */
	readonly webhooks: number;
	readonly lastWebhookAt: string | null;
	/** Where it was asked for. */
	readonly lag?: SourceLag;
}

/** An activity of a running ingestion that failed and is tried again. */
export interface Waiting {
	readonly activity: string;
	/** 1 is the first. */
	readonly attempt: number;
	readonly code?: string;
	readonly message: string;
}

export interface StatusReport {
	readonly ingestions: readonly (Ingestion & {
		readonly progress?: IngestProgress;
		readonly waiting?: readonly Waiting[];
	})[];
	readonly parked: number;
	readonly temporalUi: string | null;
	/** Where a page was asked for: `after` of the next one; null: there is none. */
	readonly next?: string | null;
}

export interface VerifyReport {
	readonly ok: boolean;
	readonly snapshot: number;
	readonly stores: Readonly<Record<"catalog" | "graph" | "vectors" | "artifacts", Tally>>;
	readonly problems: readonly (StoreProblem & { readonly store: string })[];
}

export interface RebuildReport extends Omit<VerifyReport, "snapshot"> {
	readonly events: number;
	readonly sources: number;
	/** Manifest entries, of every kept version. */
	readonly entries: number;
	/** Which of the other stores were filled anew. */
	readonly restaged: readonly ("graph" | "vectors")[];
	/** Seqs that were in a store but not in the archive. */
	readonly discarded: number;
	/** The first that will be given. */
	readonly nextSeq: number;
	/** Null where nothing is published. */
	readonly snapshot: number | null;
}

export interface DiffReport {
	readonly source: string;
	readonly from: string;
	readonly to: string;
	readonly added: readonly EntityChange[];
	readonly removed: readonly EntityChange[];
	readonly changed: readonly EntityChange[];
}

export interface CollectReport {
	readonly records: Readonly<Record<string, number>>;
	readonly objects: number;
	readonly bytes: number;
	readonly horizons: Readonly<Record<string, number>>;
}

export interface RemoveReport {
	readonly source: string;
	readonly workflowId: string;
}

export interface RetryReport {
	readonly retried: readonly IngestReport[];
	readonly failed: readonly { readonly ingestion: string; readonly failure: Failure }[];
}

/** One thing that Lode needs, and how it was found. */
export interface Check {
	readonly name: string;
	readonly status: "ok" | "warn" | "fail";
	readonly found: string;
	/** What to do about it. */
	readonly mend?: string;
}

/** Whether every store answers. */
export interface ReadyReport {
	readonly ready: boolean;
	readonly stores: readonly {
		readonly name: string;
		/** Null where it answers. */
		readonly problem: string | null;
	}[];
}

export interface Migrated {
	readonly server: string;
	/** What was created or upgraded, or that nothing was needed. */
	readonly done: string;
}
