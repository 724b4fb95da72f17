import { type Kysely, type RawBuilder, type Selectable, sql, type Transaction } from "kysely";
import { canonicalJson, type JsonObject, sha256 } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import { chunked } from "../../sqlite/chunked.js";
import type { ExpectedVersion, NewEvent, StoredEvent } from "../events.port.js";
import type { EventTables } from "./event-tables.js";

export type EventRow = Selectable<EventTables["event"]>;

/** Rows in one statement: each has 12 values. */
const AT_ONCE = 200;

/** Before the first event of every stream. */
export const FIRST_SEAL = "0".repeat(64);

/** Covers all of an event and, through the seal before it, all that came before in its stream. */
export function sealOf(previous: string, row: Omit<EventRow, "seal">): string {
	return sha256(
		canonicalJson([
			previous,
			row.position,
			row.stream,
			row.version,
			row.id,
			row.type,
			row.time,
			row.data,
			row.correlation_id,
			row.causation_id,
			row.idempotency_key,
			row.source,
		]),
	);
}

export function storedEvent(row: EventRow): StoredEvent {
	return {
		id: row.id,
		stream: row.stream,
		version: row.version,
		position: row.position,
		type: row.type,
		time: row.time,
		data: JSON.parse(row.data) as JsonObject,
		metadata: {
			correlationId: row.correlation_id,
			...(row.causation_id === null ? {} : { causationId: row.causation_id }),
			idempotencyKey: row.idempotency_key,
			...(row.source === null ? {} : { source: row.source }),
		},
	};
}

/** Turns events that came from an archive into the rows that they were, sealed anew: the same events give the same seals. */
export function rowsOf() {
	const ends = new Map<string, { version: number; seal: string }>();
	let position = 0;
	return {
		/** In their order. @throws STORE_CORRUPT where one is missing */
		add(event: StoredEvent): EventRow {
			const { stream, version, metadata } = event;
			const end = ends.get(stream) ?? { version: 0, seal: FIRST_SEAL };
			if (event.position !== position + 1 || version !== end.version + 1) {
				throw new LodeError(
					"STORE_CORRUPT",
					`Event ${event.position} of the archive does not follow the one before it`,
				);
			}
			const row: Omit<EventRow, "seal"> = {
				position: event.position,
				stream,
				version,
				id: event.id,
				type: event.type,
				time: event.time,
				data: canonicalJson(event.data),
				correlation_id: metadata.correlationId,
				causation_id: metadata.causationId ?? null,
				idempotency_key: metadata.idempotencyKey,
				source: metadata.source ?? null,
			};
			const seal = sealOf(end.seal, row);
			ends.set(stream, { version, seal });
			position = event.position;
			return { ...row, seal };
		},
		get position(): number {
			return position;
		},
		streams: () => [...ends].map(([name, end]) => ({ name, ...end })),
	};
}

/** Appends inside a transaction of the caller, so that an event and what it tells of become true together. */
export async function appendEvents(
	transaction: Transaction<EventTables>,
	time: string,
	stream: string,
	expected: ExpectedVersion,
	events: readonly NewEvent[],
): Promise<StoredEvent[]> {
	// Locks the log until the commit: without it a reader could see position 5 before 4 exists, and pass over 4 for ever.
	const log = await transaction
		.updateTable("event_log")
		.set((eb) => ({ position: eb.ref("position") }))
		.returning("position")
		.executeTakeFirstOrThrow();
	const head = await transaction.selectFrom("stream").selectAll().where("name", "=", stream).executeTakeFirst();
	const current = head?.version ?? 0;
	const byKey = new Map<string, EventRow>();
	for (const some of chunked(events, AT_ONCE)) {
		const keys = some.map(({ metadata }) => metadata.idempotencyKey);
		const rows = await transaction
			.selectFrom("event")
			.selectAll()
			.where("stream", "=", stream)
			.where("idempotency_key", "in", keys)
			.execute();
		for (const row of rows) byKey.set(row.idempotency_key, row);
	}

	const fresh: EventRow[] = [];
	let seal = head?.seal ?? FIRST_SEAL;
	for (const { type, data, metadata } of events) {
		if (byKey.has(metadata.idempotencyKey)) continue;
		const row: Omit<EventRow, "seal"> = {
			position: log.position + fresh.length + 1,
			stream,
			version: current + fresh.length + 1,
			// Derived, so that a repeat after an unknown outcome names the same event.
			id: sha256(`${stream}\0${metadata.idempotencyKey}`).slice(0, 32),
			type,
			time,
			data: canonicalJson(data),
			correlation_id: metadata.correlationId,
			causation_id: metadata.causationId ?? null,
			idempotency_key: metadata.idempotencyKey,
			source: metadata.source ?? null,
		};
		seal = sealOf(seal, row);
		const sealed = { ...row, seal };
		fresh.push(sealed);
		byKey.set(metadata.idempotencyKey, sealed);
	}

	if (fresh.length > 0) {
		if (expected !== "any" && expected !== current) {
			throw new LodeError(
				"VERSION_CONFLICT",
				`Cannot append to stream ${stream}: it is at version ${current}, not ${expected}`,
				{ next: "Read the stream again and decide anew." },
			);
		}
		for (const rows of chunked(fresh, AT_ONCE)) await transaction.insertInto("event").values(rows).execute();
		const version = current + fresh.length;
		await transaction
			.insertInto("stream")
			.values({ name: stream, version, seal })
			.onConflict((conflict) => conflict.column("name").doUpdateSet({ version, seal }))
			.execute();
		await transaction
			.updateTable("event_log")
			.set({ position: log.position + fresh.length })
			.execute();
	}
	return events.map(({ metadata }) => storedEvent(byKey.get(metadata.idempotencyKey) as EventRow));
}

/** The stream's version now; 0 where it does not exist. */
export async function streamVersion(database: Kysely<EventTables>, stream: string): Promise<number> {
	const head = await database.selectFrom("stream").select("version").where("name", "=", stream).executeTakeFirst();
	return head?.version ?? 0;
}

/**
 * A version of the stream that is not after the position: in a whole log the last such one. Found by halving, because versions are in the order
 * of positions and no index is by stream and position; where an event is missing the halving ends early.
 */
export function versionBefore(stream: string, position: number): RawBuilder<number> {
	return sql<number>`(
		WITH RECURSIVE halved (low, high) AS (
			SELECT CAST(0 AS bigint), version FROM stream WHERE name = ${stream}
			UNION ALL
			SELECT
				CASE WHEN event.position <= ${position} THEN event.version ELSE halved.low END,
				CASE WHEN event.position <= ${position} THEN halved.high ELSE event.version - 1 END
			FROM halved JOIN event ON event.stream = ${stream} AND event.version = (halved.low + halved.high + 1) / 2
			WHERE halved.low < halved.high
		)
		SELECT coalesce(max(low), 0) FROM halved
	)`;
}
