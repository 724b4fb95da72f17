import { setImmediate as nextTurn } from "node:timers/promises";
import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";
import type { StoreProblem } from "../../versioned.port.js";
import { columnNumber, instanceHash, termHash } from "./chunk-terms.js";
import type { FullTextIndex } from "./schema.js";
import { readVarints } from "./varints.js";

/** What the check needs to know of a chunk; `terms` is the checksum stored when it was indexed. */
export interface IndexedChunk {
	readonly source?: string;
	readonly record: string;
	readonly terms: number | null;
	/** Where it has its entries. */
	readonly index: FullTextIndex;
}

interface Found {
	sum: number;
	counts: [number, number, number];
}

const PAGE = 200_000;

/** Reads every entry of the index through its query path and compares it, per chunk, with what was indexed. */
export async function checkFullText(
	reader: SqliteDatabase,
	index: FullTextIndex,
	chunks: ReadonlyMap<number, IndexedChunk>,
	problems: StoreProblem[],
): Promise<void> {
	const found = await readIndex(reader, index);
	for (const [id, chunk] of chunks) {
		if (chunk.index !== index) continue;
		const { sum, counts } = found.get(id) ?? { sum: 0, counts: [0, 0, 0] };
		found.delete(id);
		const report = (problem: string) => problems.push({ source: chunk.source, record: chunk.record, problem });
		if (sum !== chunk.terms) {
			report("its entries in the full-text index are not those of its text");
			continue;
		}
		const sizes = sizesOf(reader, index, id);
		if (sizes?.length !== 3 || sizes.some((size, column) => size !== counts[column])) {
			report("its length in the full-text index is wrong or missing");
		}
	}
	for (const id of found.keys()) {
		problems.push({
			record: `chunk row ${id}`,
			problem: "the full-text index has entries of a chunk that is not there",
		});
	}
	const extra = reader
		.prepare(`SELECT id FROM ${index.name}_docsize WHERE id NOT IN (SELECT id FROM chunk) ORDER BY id`)
		.all<{ id: number }>();
	for (const { id } of extra) {
		problems.push({
			record: `chunk row ${id}`,
			problem: "the full-text index has a length of a chunk that is not there",
		});
	}
}

async function readIndex(reader: SqliteDatabase, index: FullTextIndex): Promise<Map<number, Found>> {
	const found = new Map<number, Found>();
	let rows = 0;
	let term = "";
	let hash = termHash(term);
	const instances = reader
		.prepare(`SELECT term, doc, col, offset FROM ${index.instances}`)
		.iterate<{ term: string; doc: number; col: string; offset: number }>();
	for (const row of instances) {
		if (row.term !== term) {
			term = row.term;
			hash = termHash(term);
		}
		let entry = found.get(row.doc);
		if (entry === undefined) {
			entry = { sum: 0, counts: [0, 0, 0] };
			found.set(row.doc, entry);
		}
		const column = columnNumber(row.col);
		entry.sum += instanceHash(hash, column, row.offset);
		if (column >= 0) entry.counts[column as 0 | 1 | 2] += 1;
		rows += 1;
		if (rows % PAGE === 0) await nextTurn();
	}
	return found;
}

/** The number of terms a column. */
function sizesOf(reader: SqliteDatabase, index: FullTextIndex, id: number): number[] | undefined {
	const blob = reader.prepare(`SELECT sz FROM ${index.name}_docsize WHERE id = ?`).get<{ sz: Uint8Array }>([id])?.sz;
	return blob && readVarints(blob);
}
