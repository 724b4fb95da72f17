import { type Insertable, type Selectable, sql } from "kysely";
import { compareBytes } from "../../../domain/byte-order.js";
import { canonicalJson, sha256 } from "../../../domain/digest.js";
import { LodeError } from "../../../domain/errors.js";
import { fileOrigin } from "../../../domain/keys.js";
import { type OriginEntry, originEntryJson } from "../../../domain/origin-entry.js";
import type { Seq, Snapshot } from "../../../domain/snapshot.js";
import { chunked, padded } from "../../sqlite/chunked.js";
import { unindexed } from "../../sqlite/unindexed.js";
import type { Reference, StoreTotals } from "../catalog.port.js";
import type { CatalogReader, CatalogTables } from "./catalog-tables.js";
import { parseJson } from "./rows.js";
import { TotalsBuilder } from "./totals.js";
import { visibleIn } from "./visible-entries.js";

export type EntryRow = Selectable<CatalogTables["entry"]>;

/** Values in one list: far below what any engine binds. */
export const LIST = 512;
const TALLY_PAGE = 1_000;

/** Covers what never changes of an entry's row, so that a check can name the row that was changed. */
export function entrySeal(row: Pick<EntryRow, "source" | "origin" | "added_at" | "batch" | "content">): string {
	return sha256(canonicalJson([row.source, row.origin, row.added_at, row.batch, row.content]));
}

/** `content` is the entry's canonical JSON. */
export function entryRow(
	source: string,
	seq: Seq,
	batch: string,
	entry: OriginEntry,
	content: string,
): Insertable<CatalogTables["entry"]> & EntryRow {
	const row = { source, origin: entry.origin, added_at: seq, batch, content };
	return { ...row, removed_at: null, removed_batch: null, seal: entrySeal(row) };
}

export function toEntry(row: Pick<EntryRow, "origin" | "content">): OriginEntry {
	// The column is what queries go by, so it also counts where the two should ever differ.
	return { ...parseJson<OriginEntry>(row.content, `entry ${row.origin}`), origin: row.origin };
}

export async function visibleEntries(
	kysely: CatalogReader,
	snapshot: Snapshot,
	source: string,
	after: string | undefined,
	limit: number,
): Promise<OriginEntry[]> {
	return (await visibleRows(kysely, snapshot, source, after, limit)).map(toEntry);
}

async function visibleRows(
	kysely: CatalogReader,
	snapshot: Snapshot,
	source: string,
	after: string | undefined,
	limit: number,
) {
	let query = kysely
		.selectFrom("entry")
		.select(["origin", "content"])
		.where("source", "=", source)
		.where(visibleIn(snapshot));
	if (after !== undefined) query = query.where("origin", ">", after);
	return query.orderBy("origin").limit(limit).execute();
}

/** In the order of origins, each once, however often and in what order they were asked for. */
export async function entriesOf(
	kysely: CatalogReader,
	snapshot: Snapshot,
	source: string,
	origins: readonly string[],
): Promise<OriginEntry[]> {
	const found: OriginEntry[] = [];
	for (const slice of chunked([...new Set(origins)], LIST)) {
		const rows = await kysely
			.selectFrom("entry")
			.select(["origin", "content"])
			.where("source", "=", source)
			.where("origin", "in", padded(slice))
			.where(visibleIn(snapshot))
			.execute();
		for (const row of rows) found.push(toEntry(row));
	}
	return found.sort((a, b) => compareBytes(a.origin, b.origin));
}

export async function changedEntries(
	kysely: CatalogReader,
	seq: Seq,
	which: "added" | "retired",
	after: string | undefined,
	limit: number,
): Promise<OriginEntry[]> {
	let query = kysely
		.selectFrom("entry")
		.select(["origin", "content"])
		.where(which === "added" ? "added_at" : "removed_at", "=", seq);
	// What was removed is found by its source, and a seq has one.
	if (which === "retired") query = query.where("source", "=", sourceOf(kysely, seq));
	if (after !== undefined) query = query.where("origin", ">", after);
	return (await query.orderBy("origin").limit(limit).execute()).map(toEntry);
}

function sourceOf(kysely: CatalogReader, seq: Seq) {
	return kysely.selectFrom("ingestion").select("source").where("seq", "=", seq);
}

/** Reads no more than one row beyond those that `without` takes away. */
export async function hasFilesUnder(
	kysely: CatalogReader,
	snapshot: Snapshot,
	source: string,
	folder: string,
	without: readonly string[],
): Promise<boolean> {
	// Everything that begins with "file:<folder>/": "0" follows "/", and ";" follows ":".
	const [from, to] = folder === "" ? ["file:", "file;"] : [`file:${folder}/`, `file:${folder}0`];
	const taken = new Set(without.map(fileOrigin).filter((origin) => origin.startsWith(from)));
	const rows = await kysely
		.selectFrom("entry")
		.select("origin")
		.where("source", "=", source)
		.where("origin", ">=", from)
		.where("origin", "<", to)
		.where(visibleIn(snapshot))
		.orderBy("origin")
		.limit(taken.size + 1)
		.execute();
	return rows.some((row) => !taken.has(row.origin));
}

export async function references(
	kysely: CatalogReader,
	after: string | undefined,
	limit: number,
): Promise<Reference[]> {
	let query = kysely
		.selectFrom("entry")
		.select(["source", "origin", "added_at", "content"])
		// Only files refer to bytes. Nearly all entries are files: a page begins where the cursor says.
		.where(unindexed("origin"), ">=", "file:")
		.where(unindexed("origin"), "<", "file;");
	if (after !== undefined) {
		const [source, origin, addedAt] = parseJson<[string, string, number]>(after, "reference cursor");
		query = query.where(sql<boolean>`(source, origin, added_at) > (${source}, ${origin}, ${addedAt})`);
	}
	const rows = await query.orderBy("source").orderBy("origin").orderBy("added_at").limit(limit).execute();
	return rows.map((row) => {
		const { file } = toEntry(row);
		if (!file)
			throw new LodeError("STORE_CORRUPT", `The catalog's entry ${row.origin} of ${row.source} names no bytes`);
		return {
			cursor: JSON.stringify([row.source, row.origin, row.added_at]),
			artifact: file.artifact,
			mined: file.mined,
			...(file.minedBy && { further: [...new Set(Object.values(file.minedBy))] }),
		};
	});
}

/** Recomputed from the stored content, page by page so that other work of this process gets its turn. */
export async function tallyVisible(kysely: CatalogReader, snapshot: Snapshot, source: string): Promise<StoreTotals> {
	const totals = new TotalsBuilder();
	let after: string | undefined;
	for (;;) {
		const rows = await visibleRows(kysely, snapshot, source, after, TALLY_PAGE);
		for (const row of rows) {
			const entry = toEntry(row);
			totals.add(entry, originEntryJson(entry));
		}
		if (rows.length < TALLY_PAGE) return totals.build();
		after = rows.at(-1)?.origin;
		await new Promise(setImmediate);
	}
}
