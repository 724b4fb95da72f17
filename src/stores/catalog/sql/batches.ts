import { LodeError } from "../../../domain/errors.js";
import { type OriginEntry, originEntryJson } from "../../../domain/origin-entry.js";
import type { Seq } from "../../../domain/snapshot.js";
import { chunked, chunkedEvenly, padded } from "../../sqlite/chunked.js";
import type { BatchRecord, ExpectedStaged, StoreTotals } from "../catalog.port.js";
import { type CatalogContext, type CatalogReader, type CatalogTransaction, read, write } from "./catalog-tables.js";
import { entryRow, LIST, toEntry } from "./entries.js";
import { ingestionBySeq, stagingIngestion } from "./ingestion-rows.js";
import { type IngestionRow, jsonText, parseJson } from "./rows.js";
import { EMPTY_TOTALS, TotalsBuilder } from "./totals.js";

/** Rows of an entry in one insert: 8 values each. */
const INSERT_ROWS = 256;

export async function recordBatch(context: CatalogContext, seq: Seq, record: BatchRecord): Promise<void> {
	const added = record.entries;
	refuseDoubles(seq, record.batch, added);
	const addedTotals = new TotalsBuilder();
	const written = added.map((entry) => ({ entry, content: originEntryJson(entry) }));
	for (const { entry, content } of written) addedTotals.add(entry, content);
	const retired = [...new Set(record.retired)];

	await write(context, async (transaction) => {
		const { source } = await stagingIngestion(transaction, seq, `record batch ${record.batch} of`);
		await undoBatch(transaction, seq, source, record.batch);
		const retiredTotals = new TotalsBuilder();
		for (const origins of chunked(retired, LIST)) {
			for (const row of await retire(transaction, seq, source, record.batch, padded(origins))) {
				retiredTotals.add(toEntry(row), row.content);
			}
		}
		await refuseOtherBatches(transaction, seq, record.batch, added);
		for (const entries of chunkedEvenly(written, INSERT_ROWS)) {
			await transaction
				.insertInto("entry")
				.values(entries.map(({ entry, content }) => entryRow(source, seq, record.batch, entry, content)))
				.execute();
		}
		await transaction
			.insertInto("batch")
			.values({
				seq,
				name: record.batch,
				added: jsonText(addedTotals.build()),
				retired: jsonText(retiredTotals.build()),
			})
			.execute();
	});
}

export async function undoBatches(context: CatalogContext, seq: Seq, prefix: string): Promise<void> {
	const named = (reader: CatalogReader) =>
		reader.selectFrom("batch").select("name").where("seq", "=", seq).where("name", "like", `${prefix}%`).execute();
	// Mostly there are none, and nothing is written.
	if ((await read(context, named)).length === 0) return;
	await write(context, async (transaction) => {
		const { source } = await stagingIngestion(transaction, seq, `take back batches of`);
		for (const { name } of await named(transaction)) await undoBatch(transaction, seq, source, name);
	});
}

function refuseDoubles(seq: Seq, batch: string, entries: readonly OriginEntry[]): void {
	const seen = new Set<string>();
	for (const { origin } of entries) {
		if (seen.has(origin)) throw new LodeError("INTERNAL", `Batch ${batch} of seq ${seq} adds ${origin} twice`);
		seen.add(origin);
	}
}

/** Takes back what an earlier record of this name did. Costs nothing for a new name. */
async function undoBatch(transaction: CatalogTransaction, seq: Seq, source: string, batch: string): Promise<void> {
	const { numDeletedRows } = await transaction
		.deleteFrom("batch")
		.where("seq", "=", seq)
		.where("name", "=", batch)
		.executeTakeFirstOrThrow();
	if (numDeletedRows === 0n) return;
	await transaction.deleteFrom("entry").where("added_at", "=", seq).where("batch", "=", batch).execute();
	await transaction
		.updateTable("entry")
		.set({ removed_at: null, removed_batch: null })
		.where("source", "=", source)
		.where("removed_at", "=", seq)
		.where("removed_batch", "=", batch)
		.execute();
}

/** Origins that the base does not have are left out, as every store does. */
async function retire(
	transaction: CatalogTransaction,
	seq: Seq,
	source: string,
	batch: string,
	origins: readonly string[],
) {
	const taken = await transaction
		.selectFrom("entry")
		.select(["origin", "removed_batch"])
		.where("source", "=", source)
		.where("origin", "in", origins)
		.where("removed_at", "=", seq)
		.executeTakeFirst();
	if (taken) {
		throw new LodeError(
			"INTERNAL",
			`Batch ${batch} of seq ${seq} retires ${taken.origin}, as batch ${taken.removed_batch} does`,
		);
	}
	// At most one entry of an origin is current: a source's next ingestion begins after the one before has ended.
	return transaction
		.updateTable("entry")
		.set({ removed_at: seq, removed_batch: batch })
		.where("source", "=", source)
		.where("origin", "in", origins)
		.where("added_at", "<", seq)
		.where("removed_at", "is", null)
		.returning(["origin", "content"])
		.execute();
}

async function refuseOtherBatches(
	transaction: CatalogTransaction,
	seq: Seq,
	batch: string,
	entries: readonly OriginEntry[],
): Promise<void> {
	for (const slice of chunked(entries, LIST)) {
		const origins = padded(slice.map((entry) => entry.origin));
		const other = await transaction
			.selectFrom("entry")
			.select(["origin", "batch"])
			.where("added_at", "=", seq)
			.where("origin", "in", origins)
			.executeTakeFirst();
		if (other) {
			throw new LodeError(
				"INTERNAL",
				`Batch ${batch} of seq ${seq} adds ${other.origin}, as batch ${other.batch} does`,
			);
		}
	}
}

/** What the batches of an open ingestion recorded, summed up. */
export async function batchTotals(
	kysely: CatalogReader,
	seq: Seq,
): Promise<{ added: StoreTotals; retired: StoreTotals }> {
	const rows = await kysely.selectFrom("batch").selectAll().where("seq", "=", seq).orderBy("name").execute();
	const [added, retired] = [new TotalsBuilder(), new TotalsBuilder()];
	for (const row of rows) {
		added.merge(parseJson<StoreTotals>(row.added, `batch ${row.name}`));
		retired.merge(parseJson<StoreTotals>(row.retired, `batch ${row.name}`));
	}
	return rows.length === 0
		? { added: EMPTY_TOTALS, retired: EMPTY_TOTALS }
		: { added: added.build(), retired: retired.build() };
}

async function totalsOf(kysely: CatalogReader, { seq, added, retired }: IngestionRow) {
	if (added === null || retired === null) return batchTotals(kysely, seq);
	return {
		added: parseJson<StoreTotals>(added, `ingestion of seq ${seq}`),
		retired: parseJson<StoreTotals>(retired, `ingestion of seq ${seq}`),
	};
}

export function expectedStaged(context: CatalogContext, seq: Seq): Promise<ExpectedStaged> {
	return read(context, async (transaction) => {
		const ingestion = await ingestionBySeq(transaction, seq);
		const { added, retired } = await totalsOf(transaction, ingestion);
		const totals = {
			graph: { added: added.graph, retired: retired.graph },
			vectors: { added: added.vectors, retired: retired.vectors },
		};
		// A first ingestion adds all that there is: nothing to look up for each of it.
		if (retired.catalog.count === 0) return { origins: added.catalog.count, ...totals };
		const both = await transaction
			.selectFrom("entry as a")
			.innerJoin("entry as r", (join) => join.onRef("r.source", "=", "a.source").onRef("r.origin", "=", "a.origin"))
			.select((eb) => eb.fn.countAll<number>().as("count"))
			.where("a.added_at", "=", seq)
			// The source once more: whichever side is read first begins with what the seq changed.
			.where("r.source", "=", ingestion.source)
			.where("r.removed_at", "=", seq)
			.executeTakeFirstOrThrow();
		return {
			origins: added.catalog.count + retired.catalog.count - Number(both.count),
			...totals,
		};
	});
}
