import type { Kysely, Transaction } from "kysely";
import { LodeError } from "../../../domain/errors.js";
import type { StoredEvent } from "../events.port.js";
import { storedEvent } from "./event-log.js";
import type { EventTables } from "./event-tables.js";

/** A consumer whose effect lies in the database of the log. */
export interface Projection {
	readonly consumer: string;
	/** Writes the effect of an event in the given transaction. */
	apply(transaction: Transaction<EventTables>, event: StoredEvent): Promise<void>;
}

const PAGE = 500;

/**
 * Brings a projection up to the end of the log. An event's effect, its row in the registry, the guard of its stream and the checkpoint are
 * one transaction, so delivery at least once has an effect exactly once, whoever calls this at the same time.
 * @throws STORE_CORRUPT where a stream has a gap
 */
export async function project(kysely: Kysely<EventTables>, projection: Projection): Promise<void> {
	while ((await kysely.transaction().execute((transaction) => projectPage(transaction, projection))) === PAGE);
}

async function projectPage(transaction: Transaction<EventTables>, { consumer, apply }: Projection): Promise<number> {
	await transaction
		.insertInto("checkpoint")
		.values({ consumer, position: 0 })
		.onConflict((conflict) => conflict.column("consumer").doNothing())
		.execute();
	// Locks the consumer until the commit: another process goes on from where this one ends.
	const { position } = await transaction
		.updateTable("checkpoint")
		.set((eb) => ({ position: eb.ref("position") }))
		.where("consumer", "=", consumer)
		.returning("position")
		.executeTakeFirstOrThrow();
	const rows = await transaction
		.selectFrom("event")
		.selectAll()
		.where("position", ">", position)
		.orderBy("position")
		.limit(PAGE)
		.execute();
	for (const row of rows) {
		const { numInsertedOrUpdatedRows } = await transaction
			.insertInto("processed_event")
			.values({ consumer, event: row.id })
			.onConflict((conflict) => conflict.columns(["consumer", "event"]).doNothing())
			.executeTakeFirstOrThrow();
		if (numInsertedOrUpdatedRows === 0n) continue;
		await guard(transaction, consumer, row.stream, row.version);
		await apply(transaction, storedEvent(row));
	}
	const last = rows.at(-1);
	if (last) {
		await transaction
			.updateTable("checkpoint")
			.set({ position: last.position })
			.where("consumer", "=", consumer)
			.execute();
	}
	return rows.length;
}

async function guard(
	transaction: Transaction<EventTables>,
	consumer: string,
	stream: string,
	version: number,
): Promise<void> {
	const reached = await transaction
		.selectFrom("consumer_stream")
		.select("version")
		.where("consumer", "=", consumer)
		.where("stream", "=", stream)
		.executeTakeFirst();
	if (version !== (reached?.version ?? 0) + 1) {
		throw new LodeError(
			"STORE_CORRUPT",
			`Event ${version} of stream ${stream} does not follow what ${consumer} has of it: ${reached?.version ?? 0}`,
			{ next: "lode verify" },
		);
	}
	await transaction
		.insertInto("consumer_stream")
		.values({ consumer, stream, version })
		.onConflict((conflict) => conflict.columns(["consumer", "stream"]).doUpdateSet({ version }))
		.execute();
}
