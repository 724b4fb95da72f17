import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileOrigin } from "../../src/domain/keys.js";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";
import { seededVectors } from "../support/seeded-vectors.js";

/** Real: the SQLite store. Each case changes one thing in a copy of its file with plain SQL and asks `check` what is wrong. */
describe("one change inside the vector store's file", () => {
	let folder: string;
	let original: string;
	let copies = 0;
	const vectors = seededVectors(5, 16);
	const chunk = (path: string, ordinal: number): ChunkRecord => ({
		source: "source-a",
		group: "default",
		model: "test/m-16",
		origin: fileOrigin(path),
		path,
		language: "typescript",
		ordinal,
		kind: "function",
		startLine: ordinal * 10 + 1,
		endLine: ordinal * 10 + 9,
		symbol: `Thing.run${ordinal}`,
		text: `export function run${ordinal}() { return "${path} says hello"; }`,
		vector: vectors(),
	});
	/** Ids are given in order of staging. */
	const VICTIM = 3;
	const NAME = "file:src/b.ts chunk 0";

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-tamper-"));
		original = join(folder, "vectors.db");
		const store = createSqliteVectorStore({ path: original });
		await store.stage(1, [chunk("src/a.ts", 0), chunk("src/a.ts", 1), chunk("src/b.ts", 0), chunk("src/c.ts", 0)]);
		await store.retire(2, "source-a", ["file:src/c.ts"]);
		await store.stage(2, [chunk("src/d.ts", 0)]);
		// A discarded ingestion leaves traces of deletion in the full-text index, which must not look like damage.
		await store.stage(3, [chunk("src/e.ts", 0)]);
		await store.discard(3);
		await store.close();
	});
	afterAll(async () => {
		await rm(folder, { recursive: true, force: true });
	});

	async function problemsAfter(sql: string): Promise<{ record: string; problem: string }[]> {
		copies += 1;
		const path = join(folder, `copy-${copies}.db`);
		await copyFile(original, path);
		// Not defensive: the tables inside the full-text index are written too.
		const raw = new DatabaseSync(path, { defensive: false });
		try {
			raw.exec(sql);
		} finally {
			raw.close();
		}
		const store = createSqliteVectorStore({ path });
		try {
			return await store.check();
		} finally {
			await store.close();
		}
	}

	it("finds nothing where nothing was changed", async () => {
		expect(await problemsAfter("SELECT 1")).toEqual([]);
	});

	const where = `WHERE id = ${VICTIM}`;
	const named: Record<string, string> = {
		"a line": `UPDATE chunk SET start_line = start_line + 1 ${where}`,
		"an ordinal's neighbour": `UPDATE chunk SET end_line = 0 ${where}`,
		"when it was added": `UPDATE chunk SET added_at = 2 ${where}`,
		"when it was removed": `UPDATE chunk SET removed_at = 2 ${where}`,
		"the checksum of that": `UPDATE chunk SET life = life + 1 ${where}`,
		"a sign bit": `UPDATE chunk SET bits = x'0001' ${where}`,
		"the text": `UPDATE content SET text = replace(text, 'hello', 'hallo') ${where}`,
		"the symbol": `UPDATE content SET symbol = 'Thing.walk0' ${where}`,
		"the key of the symbol": `UPDATE content SET symbol_tail = 'walk0' ${where}`,
		"the digest": `UPDATE content SET digest = zeroblob(32) ${where}`,
		"the checksum of its terms": `UPDATE content SET terms = terms + 1 ${where}`,
		"the whole content": `DELETE FROM content ${where}`,
		"one byte of the vector": `UPDATE vector SET floats = CAST(substr(floats, 1, 5) || x'ff' || substr(floats, 7) AS BLOB) ${where}`,
		"the length of the vector": `UPDATE vector SET floats = substr(floats, 1, 8) ${where}`,
		"the whole vector": `DELETE FROM vector ${where}`,
		"its path": "UPDATE path SET text = 'src/other.ts' WHERE text = 'src/b.ts'",
		"the path it refers to": `UPDATE chunk SET path_id = 1 ${where}`,
		"its entries in the full-text index": `DELETE FROM terms WHERE rowid = ${VICTIM}`,
		"an entry more in the full-text index": `INSERT INTO terms (rowid, text) VALUES (${VICTIM}, 'more')`,
		"its length in the full-text index": `UPDATE terms_docsize SET sz = x'010101' ${where}`,
		"no length in the full-text index": `DELETE FROM terms_docsize ${where}`,
	};
	for (const [what, sql] of Object.entries(named)) {
		it(`is found and the record named: ${what}`, async () => {
			const problems = await problemsAfter(sql);
			expect(problems.map(({ record }) => record)).toContain(NAME);
			expect(problems.every((each) => each.record === NAME || each.record.startsWith("vectors database"))).toBe(true);
		});
	}

	it("is found where a whole chunk is gone but for what derives from it", async () => {
		const problems = await problemsAfter(`DELETE FROM chunk ${where}`);
		expect(problems.map(({ record }) => record)).toContain(`chunk row ${VICTIM}`);
	});

	it("is found where a name that records share was changed or deleted", async () => {
		for (const sql of [
			"UPDATE name SET text = 'source-b' WHERE text = 'source-a'",
			"DELETE FROM name WHERE text = 'default'",
			"UPDATE model SET text = 'test/n-16'",
			"UPDATE model SET dimensions = 8",
			"DELETE FROM model",
		]) {
			expect(await problemsAfter(sql)).toHaveLength(5);
		}
	});

	it("is found where a word of the full-text index was changed", async () => {
		// One byte of a term, in the segments of the index.
		const damaged = await problemsAfter(
			"UPDATE terms_data SET block = unhex(replace(hex(block), hex('hello'), hex('hellq'))) WHERE id > 10",
		);
		expect(damaged.length).toBeGreaterThan(0);
		expect(damaged.map(({ record }) => record)).toContain(NAME);
	});
});
