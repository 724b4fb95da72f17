import { setImmediate as nextTurn } from "node:timers/promises";
import { errorCode } from "../../../domain/errors.js";
import { chunkRecordDigest } from "../../../domain/mined-file.js";
import { schemaProblems } from "../../sqlite/schema-check.js";
import { openDatabase, type SqliteDatabase } from "../../sqlite/sqlite-database.js";
import type { StoreProblem } from "../../versioned.port.js";
import { RECORD_COLUMNS, RECORD_JOINS, type RecordRow, recordName, toRecord } from "./chunk-rows.js";
import { symbolTail } from "./chunk-terms.js";
import { checkFullText, type IndexedChunk } from "./full-text-check.js";
import { checkFullTextStructure } from "./full-text-structure.js";
import { FULL_TEXT_INDEXES, fullTextIndexOf, lifeSql, MIGRATIONS } from "./schema.js";
import { sameBytes, signBits } from "./vector-codec.js";

const PAGE = 1_000;
/** A damaged file would otherwise report every record of it. */
const MAX_PROBLEMS = 1_000;

interface CheckRow extends RecordRow {
	readonly bits: Uint8Array;
	readonly digest: Uint8Array | null;
	readonly terms: number | null;
	readonly symbol_tail: string | null;
	readonly life_fits: 0 | 1;
	readonly dimensions: number | null;
}

/**
 * Everything that the file holds, compared with what it was when it was written: SQLite's own structures, each record with its
 * digest, sign bits with their vector, and the full-text index with its chunks. Reads one state of the file, on a connection of its
 * own, and leaves the event loop its turns.
 */
export async function checkVectors(database: SqliteDatabase): Promise<StoreProblem[]> {
	const { path, role } = database;
	const problems: StoreProblem[] = [];
	let reader: SqliteDatabase | undefined;
	try {
		reader = openDatabase({ path, role, synchronous: "NORMAL", migrations: MIGRATIONS });
		reader.exec("BEGIN");
		problems.push(...schemaProblems(reader, MIGRATIONS));
		const chunks = await checkRecords(reader, problems);
		checkOrphans(reader, problems);
		for (const index of FULL_TEXT_INDEXES) {
			await checkFullText(reader, index, chunks, problems);
			await checkFullTextStructure(reader, index, problems);
		}
		// Last: it names pages, the others name records.
		for (const { integrity_check } of reader.prepare("PRAGMA integrity_check(20)").all<{ integrity_check: string }>()) {
			if (integrity_check !== "ok") problems.push({ record: "vectors database", problem: integrity_check });
		}
	} catch (error) {
		if (errorCode(error) !== "STORE_CORRUPT") throw error;
		problems.push({ record: "vectors database", problem: (error as Error).message });
	} finally {
		reader?.close();
	}
	return problems.slice(0, MAX_PROBLEMS);
}

async function checkRecords(reader: SqliteDatabase, problems: StoreProblem[]): Promise<Map<number, IndexedChunk>> {
	const chunks = new Map<number, IndexedChunk>();
	const statement = reader.prepare(
		`SELECT ${RECORD_COLUMNS}, c.bits, t.digest, t.terms, t.symbol_tail, m.dimensions,
			c.life = ${lifeSql("c.added_at", "c.removed_at")} AS life_fits
		FROM chunk c ${RECORD_JOINS} WHERE c.id > ? ORDER BY c.id LIMIT ${PAGE}`,
	);
	for (let after = 0; ; ) {
		const rows = statement.all<CheckRow>([after]);
		for (const row of rows) {
			const problem = problemOf(row);
			if (problem !== undefined) problems.push({ ...sourceOf(row), record: recordName(row), problem });
			chunks.set(row.id, {
				...sourceOf(row),
				record: recordName(row),
				terms: row.terms,
				index: fullTextIndexOf(row.kind ?? ""),
			});
		}
		const last = rows.at(-1);
		if (last === undefined || rows.length < PAGE) return chunks;
		after = last.id;
		await nextTurn();
	}
}

function problemOf(row: CheckRow): string | undefined {
	if (row.text === null || row.digest === null) return "its content is missing";
	if (row.floats === null) return "its vector is missing";
	const record = toRecord(row);
	if (record.vector.length !== row.dimensions) return "its vector does not have the dimensions of its model";
	if (!sameBytes(Buffer.from(chunkRecordDigest(record), "hex"), row.digest)) {
		return "what is stored of it is not what was staged (text, place, names or vector)";
	}
	if (!sameBytes(row.bits, signBits(record.vector))) return "its sign bits do not belong to its vector";
	if (row.life_fits !== 1) return "when it was added or removed was changed";
	const tail = record.symbol === undefined ? null : symbolTail(record.symbol);
	return tail === row.symbol_tail ? undefined : "the key of its symbol is wrong";
}

function checkOrphans(reader: SqliteDatabase, problems: StoreProblem[]): void {
	for (const table of ["content", "vector"]) {
		const rows = reader
			.prepare(`SELECT id FROM ${table} WHERE id NOT IN (SELECT id FROM chunk) ORDER BY id`)
			.all<{ id: number }>();
		for (const { id } of rows) {
			problems.push({ record: `chunk row ${id}`, problem: `its ${table} is there, the chunk itself is missing` });
		}
	}
}

const sourceOf = (row: { source: string | null }): { source?: string } =>
	row.source === null ? {} : { source: row.source };
