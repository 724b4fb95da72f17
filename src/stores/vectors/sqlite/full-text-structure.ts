import { setImmediate as nextTurn } from "node:timers/promises";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { FullTextIndex } from "./schema.js";
import { readVarints } from "./varints.js";

const PAGE = 20_000;
/** Rowids of FTS5's data hold the segment's number above this bit; from 65,536 on they are marks of deletions. */
const SEGMENT_BIT = 37;
const FIRST_MARK = 65_536;
const AVERAGES_ROW = 1;
/** A lost page would otherwise name every term of it. */
const MAX_TERMS = 20;

/**
 * What a reading of the whole index does not use and a search does: the way down to a term, and the lengths that BM25 divides by.
 * Structures: https://sqlite.org/fts5.html#fts5_data_structures
 */
export async function checkFullTextStructure(
	reader: SqliteDatabase,
	index: FullTextIndex,
	problems: StoreProblem[],
): Promise<void> {
	const report = (record: string, problem: string) => problems.push({ record: `vectors database, ${record}`, problem });
	checkSegments(reader, index, report);
	checkAverages(reader, index, report);
	await checkTerms(reader, index, report);
}

type Report = (record: string, problem: string) => void;

function checkSegments(reader: SqliteDatabase, { name }: FullTextIndex, report: Report): void {
	const numbers = (sql: string) =>
		new Set(
			reader
				.prepare(sql)
				.all<{ segment: number }>()
				.map(({ segment }) => segment),
		);
	const stored = numbers(
		`SELECT DISTINCT id >> ${SEGMENT_BIT} AS segment FROM ${name}_data
		WHERE segment BETWEEN 1 AND ${FIRST_MARK - 1} ORDER BY segment`,
	);
	const found = numbers(`SELECT segid AS segment FROM ${name}_idx WHERE length(term) = 0 ORDER BY segment`);
	for (const segment of stored)
		if (!found.has(segment)) report(`full-text segment ${segment}`, "the way to its first page is missing");
	const all = numbers(`SELECT DISTINCT segid AS segment FROM ${name}_idx ORDER BY segment`);
	for (const segment of all)
		if (!stored.has(segment)) report(`full-text segment ${segment}`, "has a way to pages that are not there");
}

/**
 * Row and term counts of all that was ever indexed: FTS5 does not lower them for what is deleted from a contentless table. So they are
 * exact until something is deleted, and have bounds after that; the numbers that rows were given skip those that were there already.
 */
function checkAverages(reader: SqliteDatabase, { name }: FullTextIndex, report: Report): void {
	const record = "averages of the full-text index";
	const block = reader
		.prepare(`SELECT block FROM ${name}_data WHERE id = ?`)
		.get<{ block: Uint8Array }>([AVERAGES_ROW])?.block;
	if (block === undefined) {
		report(record, "are missing");
		return;
	}
	const [rows = 0, ...sizes] = block.length === 0 ? [0, 0, 0, 0] : readVarints(block);
	const given = reader.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'chunk'").get<{ seq: number }>()?.seq ?? 0;
	const current: number[] = [0, 0, 0];
	let count = 0;
	for (const { sz } of reader.prepare(`SELECT sz FROM ${name}_docsize`).iterate<{ sz: Uint8Array }>()) {
		count += 1;
		for (const [column, size] of readVarints(sz).entries()) current[column] = (current[column] ?? 0) + size;
	}
	const fits = (size: number | undefined, sum: number) => (rows === count ? size === sum : (size ?? 0) >= sum);
	if (rows < count || rows > given || sizes.length !== 3 || !current.every((sum, column) => fits(sizes[column], sum)))
		report(record, "are not those of the chunks that were indexed");
}

/** Every term, looked up as a search does. */
async function checkTerms(reader: SqliteDatabase, { rows }: FullTextIndex, report: Report): Promise<void> {
	const lookup = reader.prepare(`SELECT doc FROM ${rows} WHERE term = ?`);
	let seen = 0;
	let lost = 0;
	for (const { term, doc } of reader
		.prepare(`SELECT term, doc FROM ${rows}`)
		.iterate<{ term: string; doc: number }>()) {
		if (lookup.get<{ doc: number }>([term])?.doc !== doc && lost++ < MAX_TERMS)
			report(`full-text term "${term}"`, "is in the index, but a search does not find all of it");
		seen += 1;
		if (seen % PAGE === 0) await nextTurn();
	}
}
