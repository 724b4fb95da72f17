import type { Kysely, Transaction } from "kysely";
import type { AppendSignal } from "../../events/sql/append-signal.js";
import type { EventTables } from "../../events/sql/event-tables.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { IngestionStatus, Source, SourceKind } from "../catalog.port.js";

/** The catalog's tables, as any SQL engine has them. Texts of JSON are canonical, so equal values are equal texts. */
export interface CatalogTables extends EventTables {
	source: {
		id: string;
		kind: SourceKind;
		address: string;
		branch: string;
		policy: Source["policy"];
		created_at: string;
		/** 1 from `markRemoved` on. */
		removing: number;
	};
	source_group: { source: string; name: string; definition: string };
	/** The one row on which begin, publish, abort and release serialise. */
	installation: { id: 1; next_seq: number; next_snapshot: number; highest_seq: number };
	ingestion: {
		seq: number;
		id: string;
		source: string;
		commit_id: string;
		base_commit: string | null;
		base_seq: number | null;
		/** The snapshot that was the latest at its begin; 0 for none. */
		base_snapshot: number;
		recipe: string;
		rebuild: number;
		status: IngestionStatus;
		workflow_id: string;
		run_id: string;
		started_at: string;
		ended_at: string | null;
		snapshot: number | null;
		stats: string | null;
		failure: string | null;
		totals: string | null;
		/** Sums of the entries that it added and retired, from its publication on. */
		added: string | null;
		retired: string | null;
	};
	/** Sums of what each batch of an open ingestion recorded; gone when it is published or released. */
	batch: { seq: number; name: string; added: string; retired: string };
	entry: {
		source: string;
		origin: string;
		added_at: number;
		removed_at: number | null;
		/** Which batch of `added_at` recorded it. */
		batch: string;
		/** Which batch of `removed_at` retired it; null again once that one is published. */
		removed_batch: string | null;
		/** The canonical JSON of the `OriginEntry`. */
		content: string;
		/** SHA-256 of all columns that never change: see entries.ts. */
		seal: string;
	};
	/** `excluding` is a JSON list; `ingestion` the seq that was published. Rows are never deleted. */
	snapshot: { number: number; seq: number; excluding: string; published_at: string; ingestion: number };
	horizon: { source: string; number: number };
}

export type CatalogTransaction = Transaction<CatalogTables>;
/** A connection, or a transaction on it. */
export type CatalogReader = Kysely<CatalogTables>;

/** What the parts of the catalog share. */
export interface CatalogContext {
	readonly kysely: Kysely<CatalogTables>;
	readonly signal: AppendSignal;
	/** ISO 8601, UTC. The one clock of the catalog. */
	readonly now: () => string;
	/** The engine's own integrity check. */
	readonly engineCheck: () => Promise<StoreProblem[]>;
	/** A connection of its own for long reads, where the engine has one to give. */
	readonly withReader: <T>(read: (kysely: Kysely<CatalogTables>) => Promise<T>) => Promise<T>;
	readonly release: () => void;
}

/** One write: all of it with its events, or nothing. */
export async function write<T>(
	context: CatalogContext,
	fn: (transaction: CatalogTransaction) => Promise<T>,
): Promise<T> {
	const result = await context.kysely.transaction().execute(fn);
	context.signal.notify();
	return result;
}

/** Several selects that see one state. */
export function read<T>(context: CatalogContext, fn: (transaction: CatalogTransaction) => Promise<T>): Promise<T> {
	return context.kysely.transaction().setAccessMode("read only").setIsolationLevel("repeatable read").execute(fn);
}

/** The installation's row, locked until the transaction ends. */
export function lockInstallation(transaction: CatalogTransaction) {
	return transaction
		.updateTable("installation")
		.set((eb) => ({ next_seq: eb.ref("next_seq") }))
		.returningAll()
		.executeTakeFirstOrThrow();
}
