import { sql } from "kysely";
import { LodeError } from "../../../domain/errors.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import type { IngestionStatus } from "../catalog.port.js";
import type { CatalogReader, CatalogTransaction } from "./catalog-tables.js";
import { type IngestionRow, type SnapshotRow, toSnapshot } from "./rows.js";

/** Begun and neither published nor released: what every snapshot taken meanwhile has to exclude. */
export const OPEN: readonly IngestionStatus[] = ["staging", "aborted"];

/** As the partial index `ingestion_open` has it: SQLite takes that one only where a condition repeats its own, as a literal. */
export const NOT_PUBLISHED = sql<boolean>`status <> 'published'`;

/** @throws INGESTION_NOT_FOUND */
export async function ingestionBySeq(kysely: CatalogReader, seq: Seq): Promise<IngestionRow> {
	const row = await kysely.selectFrom("ingestion").selectAll().where("seq", "=", seq).executeTakeFirst();
	if (!row) throw new LodeError("INGESTION_NOT_FOUND", `There is no ingestion with seq ${seq}`);
	return row;
}

/**
 * The same, locked until the transaction ends: what records batches of an ingestion and what ends it take turns. Engines that let one
 * writer in at a time need no lock, so this is an update that changes nothing, which all have. @throws INGESTION_NOT_FOUND
 */
export async function lockIngestion(transaction: CatalogTransaction, seq: Seq): Promise<IngestionRow> {
	const row = await transaction
		.updateTable("ingestion")
		.set((eb) => ({ status: eb.ref("status") }))
		.where("seq", "=", seq)
		.returningAll()
		.executeTakeFirst();
	if (!row) throw new LodeError("INGESTION_NOT_FOUND", `There is no ingestion with seq ${seq}`);
	return row;
}

/** Locked. @throws SEQ_CLOSED when it is no longer staging, INGESTION_NOT_FOUND */
export async function stagingIngestion(
	transaction: CatalogTransaction,
	seq: Seq,
	operation: string,
): Promise<IngestionRow> {
	const row = await lockIngestion(transaction, seq);
	if (row.status !== "staging") throw closed(row, operation);
	return row;
}

export function closed(row: IngestionRow, operation: string): LodeError {
	return new LodeError("SEQ_CLOSED", `Cannot ${operation} ingestion ${row.id} of ${row.source}: it is ${row.status}`);
}

/** The source's last published ingestion. One source's ingestions never overlap, so the order of seqs is that of publication. */
export function publishedHead(kysely: CatalogReader, source: string): Promise<IngestionRow | undefined> {
	return kysely
		.selectFrom("ingestion")
		.selectAll()
		.where("source", "=", source)
		.where("status", "=", "published")
		.orderBy("seq", "desc")
		.limit(1)
		.executeTakeFirst();
}

export function openIngestion(kysely: CatalogReader, source: string): Promise<IngestionRow | undefined> {
	return kysely
		.selectFrom("ingestion")
		.selectAll()
		.where("source", "=", source)
		.where("status", "in", OPEN)
		.orderBy("seq")
		.limit(1)
		.executeTakeFirst();
}

export async function openSeqs(kysely: CatalogReader): Promise<Seq[]> {
	const rows = await kysely
		.selectFrom("ingestion")
		.select("seq")
		.where("status", "in", OPEN)
		.where(NOT_PUBLISHED)
		.orderBy("seq")
		.execute();
	return rows.map((row) => row.seq);
}

export function latestSnapshotRow(kysely: CatalogReader): Promise<SnapshotRow | undefined> {
	return kysely.selectFrom("snapshot").selectAll().orderBy("number", "desc").limit(1).executeTakeFirst();
}

/** @throws STORE_CORRUPT: its number came from a row that refers to it */
export async function snapshotByNumber(kysely: CatalogReader, number: number): Promise<Snapshot> {
	const row = await kysely.selectFrom("snapshot").selectAll().where("number", "=", number).executeTakeFirst();
	if (!row) throw new LodeError("STORE_CORRUPT", `The catalog's snapshot ${number} is missing`);
	return toSnapshot(row);
}
