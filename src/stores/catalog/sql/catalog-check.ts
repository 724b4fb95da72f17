import type { Kysely } from "kysely";
import { errorCode } from "../../../domain/errors.js";
import { checkEvents } from "../../events/sql/event-check.js";
import type { EventTables } from "../../events/sql/event-tables.js";
import type { StoreProblem } from "../../versioned.port.js";
import { CatalogFold } from "./catalog-fold.js";
import type { CatalogContext, CatalogReader } from "./catalog-tables.js";
import { checkEntries } from "./entry-check.js";

/**
 * Compares everything that the catalog holds with its events, and the events with their seals, in one state of the database. What it
 * cannot notice: a consumer's checkpoint that moved within the log, which batch of a published ingestion recorded an entry where the
 * seal was changed with it, and entries that are garbage already (retired before the horizon).
 */
export async function checkCatalog(context: CatalogContext): Promise<StoreProblem[]> {
	const problems: StoreProblem[] = [];
	const report = (problem: StoreProblem): void => {
		problems.push(problem);
	};
	try {
		for (const problem of await context.engineCheck()) report(problem);
		await checkContent(context, report);
	} catch (error) {
		// A page that cannot be read ends the check: that is a finding, and what was found before it stays one.
		if (errorCode(error) !== "STORE_CORRUPT") throw error;
		report({ record: "catalog database", problem: (error as Error).message });
	}
	return problems;
}

async function checkContent(context: CatalogContext, report: (problem: StoreProblem) => void): Promise<void> {
	await context.withReader((kysely) =>
		kysely
			.transaction()
			.setAccessMode("read only")
			.setIsolationLevel("repeatable read")
			.execute(async (transaction) => {
				const fold = new CatalogFold();
				await checkEvents(transaction as unknown as Kysely<EventTables>, report, (event) => {
					try {
						fold.apply(event);
					} catch {
						report({
							source: event.source ?? undefined,
							record: `event ${event.version} of stream ${event.stream}`,
							problem: "cannot be read",
						});
					}
				});
				await checkRows(transaction, fold, report);
				await checkEntries(transaction, fold, report);
			}),
	);
}

type Row = Readonly<Record<string, string | number | null>>;

async function checkRows(
	kysely: CatalogReader,
	fold: CatalogFold,
	report: (problem: StoreProblem) => void,
): Promise<void> {
	const compare = (kind: string, expected: Iterable<Row>, actual: readonly Row[], nameOf: (row: Row) => string) => {
		const rows = new Map(actual.map((row) => [nameOf(row), row]));
		for (const row of expected) {
			const name = nameOf(row);
			const record = `${kind} ${name}`.trim();
			const source = typeof row.source === "string" ? row.source : undefined;
			const there = rows.get(name);
			rows.delete(name);
			if (!there) {
				report({ source, record, problem: "is missing, though events tell of it" });
				continue;
			}
			const differing = Object.keys(row).filter((column) => row[column] !== there[column]);
			if (differing.length > 0) report({ source, record, problem: `${differing.join(", ")}: not as its events tell` });
		}
		for (const name of rows.keys()) report({ record: `${kind} ${name}`.trim(), problem: "no event tells of it" });
	};
	compare(
		"source",
		fold.sources.values(),
		await kysely.selectFrom("source").selectAll().execute(),
		(row) => `${row.id}`,
	);
	compare(
		"group",
		fold.groups.values(),
		await kysely.selectFrom("source_group").selectAll().execute(),
		(row) => `${row.name} of ${row.source}`,
	);
	compare(
		"horizon",
		fold.horizons.values(),
		await kysely.selectFrom("horizon").selectAll().execute(),
		(row) => `of ${row.source}`,
	);
	compare(
		"ingestion",
		fold.ingestions.values(),
		await kysely.selectFrom("ingestion").selectAll().execute(),
		(row) => `ing-${row.seq}`,
	);
	compare(
		"snapshot",
		fold.snapshots.values(),
		await kysely.selectFrom("snapshot").selectAll().execute(),
		(row) => `${row.number}`,
	);
	compare(
		"installation",
		[{ ...fold.installation }],
		await kysely.selectFrom("installation").selectAll().execute(),
		() => "",
	);
}
