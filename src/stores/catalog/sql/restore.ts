import { LodeError } from "../../../domain/errors.js";
import { type OriginEntry, originEntryJson } from "../../../domain/origin-entry.js";
import type { Seq } from "../../../domain/snapshot.js";
import { rowsOf } from "../../events/sql/event-log.js";
import { chunked } from "../../sqlite/chunked.js";
import type { ArchivedHistory, Restored } from "../catalog.port.js";
import { appendRebuilt } from "./catalog-events.js";
import { CatalogFold } from "./catalog-fold.js";
import {
	type CatalogContext,
	type CatalogTables,
	type CatalogTransaction,
	lockInstallation,
	write,
} from "./catalog-tables.js";
import { entryRow, LIST } from "./entries.js";
import { toSnapshot } from "./rows.js";
import { goneBefore } from "./visible-entries.js";

/** Rows in one insert: the widest table has 20 columns. */
const ROWS = 200;
/** Names the batch of entries whose own is not archived: nothing goes by it once they are published. */
const BATCH = "archive";

/** Whoever restores deletes this checkpoint when all stores agree again (see services/rebuild). */
const UNFINISHED_REBUILD = "rebuild";

/** What refers to another table comes before it. */
const TABLES = [
	"entry",
	"batch",
	"horizon",
	"source_group",
	"ingestion",
	"source",
	"snapshot",
	"event",
	"stream",
	"checkpoint",
	"processed_event",
	"consumer_stream",
	"source_activity",
] as const satisfies readonly (keyof CatalogTables)[];

export function restoreCatalog(
	context: CatalogContext,
	history: ArchivedHistory,
	{ highestSeq, replace }: { highestSeq: Seq; replace: boolean },
): Promise<Restored> {
	return write(context, async (transaction) => {
		await lockInstallation(transaction);
		await empty(transaction, replace);
		const fold = new CatalogFold();
		const events = await restoreEvents(transaction, history, fold);
		if (events === 0) {
			throw new LodeError("NOTHING_ARCHIVED", "The archive holds no events", {
				next: "Check that LODE_HOME or the bucket is the right one.",
			});
		}
		await restoreRows(transaction, fold);
		const entries = await restoreEntries(transaction, history, fold);

		const { next_seq, next_snapshot, highest_seq } = fold.installation;
		const nextSeq = Math.max(next_seq, highestSeq + 1);
		const nextSnapshot = next_snapshot + (nextSeq - next_seq);
		await transaction
			.updateTable("installation")
			.set({ next_seq: nextSeq, next_snapshot: nextSnapshot, highest_seq })
			.execute();
		// In the same transaction: nothing may start before the other stores agree with it.
		await transaction.insertInto("checkpoint").values({ consumer: UNFINISHED_REBUILD, position: events }).execute();
		await appendRebuilt(transaction, context.now(), { nextSeq, nextSnapshot, archivedThrough: events });
		return { events, entries, knownSeq: next_seq - 1, nextSeq };
	});
}

async function empty(transaction: CatalogTransaction, replace: boolean): Promise<void> {
	const { position } = await transaction.selectFrom("event_log").select("position").executeTakeFirstOrThrow();
	if (position > 0 && !replace) {
		throw new LodeError("USAGE", `The catalog is not empty: it has ${position} events`, {
			next: "Keep a copy of it, then: lode rebuild --replace",
		});
	}
	for (const table of TABLES) await transaction.deleteFrom(table).execute();
	await transaction.updateTable("event_log").set({ position: 0 }).execute();
}

/** Returns the position of the last one. */
async function restoreEvents(
	transaction: CatalogTransaction,
	history: ArchivedHistory,
	fold: CatalogFold,
): Promise<number> {
	const log = rowsOf();
	let rows: ReturnType<typeof log.add>[] = [];
	const flush = async () => {
		if (rows.length > 0) await transaction.insertInto("event").values(rows).execute();
		rows = [];
	};
	for await (const event of history.events()) {
		const row = log.add(event);
		fold.apply(row);
		rows.push(row);
		if (rows.length >= ROWS) await flush();
	}
	await flush();
	for (const streams of chunked(log.streams(), ROWS)) await transaction.insertInto("stream").values(streams).execute();
	await transaction.updateTable("event_log").set({ position: log.position }).execute();
	return log.position;
}

async function restoreRows(transaction: CatalogTransaction, fold: CatalogFold): Promise<void> {
	const insert = async <Table extends "source" | "source_group" | "ingestion" | "snapshot" | "horizon">(
		table: Table,
		rows: Iterable<CatalogTables[Table]>,
	) => {
		for (const some of chunked([...rows], ROWS)) {
			// Kysely cannot see that a table and its rows belong together where both vary.
			await transaction
				.insertInto(table)
				.values(some as never)
				.execute();
		}
	};
	await insert("source", fold.sources.values());
	await insert("source_group", fold.groups.values());
	await insert("ingestion", fold.ingestions.values());
	await insert("snapshot", fold.snapshots.values());
	await insert("horizon", fold.horizons.values());
}

/** Returns how many are there in the end. */
async function restoreEntries(
	transaction: CatalogTransaction,
	history: ArchivedHistory,
	fold: CatalogFold,
): Promise<number> {
	const published = [...fold.ingestions.values()].filter(({ status }) => status === "published");
	for (const { source, seq } of published.sort((a, b) => a.seq - b.seq)) {
		// Its entries may be gone from the archive already, and are about to go from here.
		if (fold.sources.get(source)?.removing === 1) continue;
		let added: OriginEntry[] = [];
		let retired: string[] = [];
		const flush = async () => {
			for (const entries of chunked(added, ROWS)) {
				const rows = entries.map((entry) => entryRow(source, seq, BATCH, entry, originEntryJson(entry)));
				await transaction.insertInto("entry").values(rows).execute();
			}
			for (const origins of chunked(retired, LIST)) {
				await transaction
					.updateTable("entry")
					.set({ removed_at: seq })
					.where("source", "=", source)
					.where("origin", "in", origins)
					.where("added_at", "<", seq)
					.where("removed_at", "is", null)
					.execute();
			}
			added = [];
			retired = [];
		};
		for await (const change of history.changes(source, seq)) {
			if ("entry" in change) added.push(change.entry);
			else retired.push(change.retired);
			if (added.length + retired.length >= 10 * ROWS) await flush();
		}
		await flush();
	}
	for (const { source, number } of fold.horizons.values()) {
		const horizon = fold.snapshots.get(number);
		if (!horizon) continue;
		await transaction
			.deleteFrom("entry")
			.where(goneBefore(source, toSnapshot(horizon)))
			.execute();
	}
	const { count } = await transaction
		.selectFrom("entry")
		.select((eb) => eb.fn.countAll<number>().as("count"))
		.executeTakeFirstOrThrow();
	return Number(count);
}
