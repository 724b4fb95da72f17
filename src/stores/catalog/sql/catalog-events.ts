import type { Transaction } from "kysely";
import type { JsonObject } from "../../../domain/digest.js";
import { appendEvents, streamVersion } from "../../events/sql/event-log.js";
import type { EventTables } from "../../events/sql/event-tables.js";
import type { CatalogTransaction } from "./catalog-tables.js";
import type { IngestionRow } from "./rows.js";

export const sourceStream = (source: string): string => `source-${source}`;
export const ingestionStream = (ingestion: string): string => `ingestion-${ingestion}`;

/** What concerns no source alone. */
export const INSTALLATION_STREAM = "installation";

export type SourceEventType =
	| "SourceAdded"
	| "GroupChanged"
	| "GroupRemoved"
	| "HorizonMoved"
	| "SourceRemovalStarted"
	| "SourceRemoved";
export type IngestionEventType = "IngestionStarted" | "IngestionPublished" | "IngestionAborted" | "IngestionReleased";

// Kysely's types do not see that the catalog's tables include the log's.
export const eventTables = (transaction: CatalogTransaction) => transaction as unknown as Transaction<EventTables>;

/** The caller's row is the guard against doubles, so every call is a new event. */
export async function appendSourceEvent(
	transaction: CatalogTransaction,
	time: string,
	source: string,
	type: SourceEventType,
	data: JsonObject,
): Promise<void> {
	const stream = sourceStream(source);
	const version = await streamVersion(eventTables(transaction), stream);
	const metadata = { correlationId: stream, idempotencyKey: `${version + 1}:${type}`, source };
	await appendEvents(eventTables(transaction), time, stream, version, [{ type, data, metadata }]);
}

/** Seqs and snapshot numbers below these are not given any more. */
export interface CatalogRebuilt {
	readonly nextSeq: number;
	readonly nextSnapshot: number;
	/** The position of the last event that came from the archive. */
	readonly archivedThrough: number;
}

export async function appendRebuilt(
	transaction: CatalogTransaction,
	time: string,
	{ nextSeq, nextSnapshot, archivedThrough }: CatalogRebuilt,
): Promise<void> {
	const metadata = { correlationId: INSTALLATION_STREAM, idempotencyKey: `${archivedThrough}:CatalogRebuilt` };
	const data = { nextSeq, nextSnapshot, archivedThrough };
	const event = { type: "CatalogRebuilt", data, metadata };
	await appendEvents(eventTables(transaction), time, INSTALLATION_STREAM, "any", [event]);
}

export async function appendIngestionEvent(
	transaction: CatalogTransaction,
	time: string,
	ingestion: Pick<IngestionRow, "id" | "seq" | "source" | "run_id">,
	type: IngestionEventType,
	data: JsonObject,
): Promise<void> {
	const metadata = {
		correlationId: ingestion.id,
		causationId: ingestion.run_id,
		idempotencyKey: `${ingestion.seq}:${type}`,
		source: ingestion.source,
	};
	await appendEvents(eventTables(transaction), time, ingestionStream(ingestion.id), "any", [{ type, data, metadata }]);
}
