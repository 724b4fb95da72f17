import { sql } from "kysely";
import { sha256, type Tally, TallyBuilder } from "../../../domain/digest.js";
import { type OriginEntry, originEntryJson } from "../../../domain/origin-entry.js";
import { isCommitted, isVisible, type Snapshot } from "../../../domain/snapshot.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { StoreTotals } from "../catalog.port.js";
import type { CatalogFold } from "./catalog-fold.js";
import type { CatalogReader } from "./catalog-tables.js";
import { type EntryRow, entrySeal, toEntry } from "./entries.js";
import { OPEN } from "./ingestion-rows.js";
import { type IngestionRow, parseJson, toSnapshot } from "./rows.js";
import { differingStores, EMPTY_TOTALS, TotalsBuilder } from "./totals.js";

const PAGE = 1_000;
type Report = (problem: StoreProblem) => void;

/**
 * One pass over all entries. Each is held against its seal; those that are current against the totals that were published last, and
 * what each publication after the source's horizon added and retired against its event. An entry that may still be read is
 * either current or was retired after the horizon, so every version that may be asked for is covered, not only the head.
 */
export async function checkEntries(kysely: CatalogReader, fold: CatalogFold, report: Report): Promise<void> {
	const check = new EntryCheck(fold, report);
	for await (const row of allEntries(kysely)) check.add(row);
	check.compareBatches(await kysely.selectFrom("batch").selectAll().orderBy("seq").orderBy("name").execute());
	check.comparePublished();

	// A sum that is off by one record gives that record's digest away: name it where it is still somewhere.
	const { suspects } = check;
	if (suspects.size === 0) return;
	for await (const row of allEntries(kysely)) {
		const entry = readable(row);
		if (!entry) continue;
		const problem = suspects.get(sha256(originEntryJson(entry)));
		if (problem) report({ source: row.source, record: nameOf(row), problem });
	}
}

async function* allEntries(kysely: CatalogReader): AsyncGenerator<EntryRow> {
	let last: EntryRow | undefined;
	for (;;) {
		let query = kysely.selectFrom("entry").selectAll();
		if (last) {
			query = query.where(
				sql<boolean>`(source, origin, added_at) > (${last.source}, ${last.origin}, ${last.added_at})`,
			);
		}
		const rows = await query.orderBy("source").orderBy("origin").orderBy("added_at").limit(PAGE).execute();
		yield* rows;
		if (rows.length < PAGE) return;
		last = rows.at(-1);
		await new Promise(setImmediate);
	}
}

const nameOf = (row: EntryRow): string => `entry ${row.origin} added at ${row.added_at}`;

function readable(row: EntryRow): OriginEntry | undefined {
	try {
		const entry = toEntry(row);
		new TotalsBuilder().add(entry, originEntryJson(entry));
		return entry;
	} catch {
		return undefined;
	}
}

class EntryCheck {
	readonly #fold: CatalogFold;
	readonly #report: Report;
	readonly #latest: Snapshot | undefined;
	/** By seq: what was added and retired at it. */
	readonly #added = new Map<number, TotalsBuilder>();
	readonly #retired = new Map<number, TotalsBuilder>();
	/** By `seq batch`, for open ingestions. */
	readonly #batchAdded = new Map<string, TotalsBuilder>();
	readonly #batchRetired = new Map<string, TotalsBuilder>();
	/** By source. */
	readonly #current = new Map<string, TotalsBuilder>();
	#previous: EntryRow | undefined;
	/** By digest of an entry: what is wrong with it. */
	readonly suspects = new Map<string, string>();

	constructor(fold: CatalogFold, report: Report) {
		this.#fold = fold;
		this.#report = report;
		const latest = fold.snapshots.get(Math.max(0, ...fold.snapshots.keys()));
		this.#latest = latest && toSnapshot(latest);
	}

	add(row: EntryRow): void {
		const problem = (text: string) => this.#report({ source: row.source, record: nameOf(row), problem: text });
		if (entrySeal(row) !== row.seal) problem("was changed after it was recorded");
		const addedBy = this.#ingestion(row.source, row.added_at);
		if (!addedBy) problem("no published or open ingestion of its source added it");
		const removedBy = row.removed_at === null ? undefined : this.#ingestion(row.source, row.removed_at);
		if (row.removed_at !== null && (!removedBy || row.removed_at <= row.added_at)) {
			problem(`no later ingestion of its source retired it at ${row.removed_at}`);
		}
		const retiring = removedBy !== undefined && isOpen(removedBy);
		if (retiring !== (row.removed_batch !== null)) problem(`is said to be retired by batch ${row.removed_batch}`);

		const previous = this.#previous;
		this.#previous = row;
		// While an ingestion is open, a batch still to come may retire what another one replaces.
		if (previous?.source === row.source && previous.origin === row.origin && addedBy && !isOpen(addedBy)) {
			if (previous.removed_at === null || previous.removed_at > row.added_at)
				problem("the one before it is not retired");
		}
		const entry = readable(row);
		if (entry) this.#sum(row, entry, addedBy, removedBy);
		else problem("cannot be read");
	}

	#ingestion(source: string, seq: number): IngestionRow | undefined {
		const row = this.#fold.ingestions.get(seq);
		return row && row.source === source && (row.status === "published" || isOpen(row)) ? row : undefined;
	}

	#sum(
		row: EntryRow,
		entry: OriginEntry,
		addedBy: IngestionRow | undefined,
		removedBy: IngestionRow | undefined,
	): void {
		const content = originEntryJson(entry);
		const sum = <Key>(sums: Map<Key, TotalsBuilder>, key: Key): void => {
			const builder = sums.get(key) ?? new TotalsBuilder();
			sums.set(key, builder.add(entry, content));
		};
		sum(this.#added, row.added_at);
		if (row.removed_at !== null) sum(this.#retired, row.removed_at);
		if (addedBy && isOpen(addedBy)) sum(this.#batchAdded, `${row.added_at} ${row.batch}`);
		if (removedBy && isOpen(removedBy)) sum(this.#batchRetired, `${row.removed_at} ${row.removed_batch}`);
		const lifetime = { addedAt: row.added_at, removedAt: row.removed_at };
		if (this.#latest && isVisible(this.#latest, lifetime)) sum(this.#current, row.source);
	}

	#horizon(source: string): Snapshot | undefined {
		const horizon = this.#fold.horizons.get(source);
		const row = horizon && this.#fold.snapshots.get(horizon.number);
		return row && toSnapshot(row);
	}

	compareBatches(rows: readonly { seq: number; name: string; added: string; retired: string }[]): void {
		for (const row of rows) {
			const record = `batch ${row.name} of seq ${row.seq}`;
			const ingestion = this.#fold.ingestions.get(row.seq);
			if (!ingestion || !isOpen(ingestion)) {
				this.#report({ record, problem: "belongs to no open ingestion" });
				continue;
			}
			const key = `${row.seq} ${row.name}`;
			this.#compare(ingestion.source, `${record}, added`, row.added, this.#batchAdded.get(key));
			this.#compare(ingestion.source, `${record}, retired`, row.retired, this.#batchRetired.get(key));
			this.#batchAdded.delete(key);
			this.#batchRetired.delete(key);
		}
		for (const key of new Set([...this.#batchAdded.keys(), ...this.#batchRetired.keys()])) {
			const [seq, ...name] = key.split(" ");
			this.#report({
				record: `batch ${name.join(" ")} of seq ${seq}`,
				problem: "is missing, though entries belong to it",
			});
		}
	}

	comparePublished(): void {
		const heads = new Map<string, IngestionRow>();
		const published = [...this.#fold.ingestions.values()].filter((row) => row.status === "published");
		for (const row of published.sort((a, b) => a.seq - b.seq)) {
			heads.set(row.source, row);
			const horizon = this.#horizon(row.source);
			// What it retired, and what it added and a later one retired, may have been collected.
			if (horizon && isCommitted(horizon, row.seq)) continue;
			this.#compare(row.source, `ingestion ${row.id}, added entries`, row.added, this.#added.get(row.seq));
			this.#compare(row.source, `ingestion ${row.id}, retired entries`, row.retired, this.#retired.get(row.seq));
		}
		for (const [source, row] of heads) {
			this.#compare(source, `current entries, ingestion ${row.id}`, row.totals, this.#current.get(source));
		}
	}

	#compare(source: string, record: string, expectedText: string | null, found: TotalsBuilder | undefined): void {
		const expected = readTotals(expectedText);
		if (!expected) {
			this.#report({ source, record, problem: "its sums cannot be read" });
			return;
		}
		const actual = found?.build() ?? EMPTY_TOTALS;
		const differing = differingStores(expected, actual);
		if (differing.length === 0) return;
		const counts = `${actual.catalog.count} entries instead of ${expected.catalog.count}`;
		const problem = `${counts}, sums differ for ${differing.join(", ")}`;
		this.#report({ source, record, problem });
		const extra = actual.catalog.count - expected.catalog.count;
		if (extra === 1) this.suspects.set(difference(actual.catalog, expected.catalog), `not expected in: ${record}`);
		if (extra === -1) this.suspects.set(difference(expected.catalog, actual.catalog), `expected in: ${record}`);
	}
}

const isOpen = (row: IngestionRow): boolean => OPEN.includes(row.status);

const difference = (more: Tally, fewer: Tally): string => new TallyBuilder().merge(more).subtract(fewer).build().digest;

function readTotals(text: string | null): StoreTotals | undefined {
	try {
		const totals = parseJson<StoreTotals>(text ?? "", "sums");
		return new TotalsBuilder().merge(totals).build();
	} catch {
		return undefined;
	}
}
