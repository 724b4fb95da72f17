import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ChunkRecord } from "../../src/domain/mined-file.js";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite/sqlite-vectors.adapter.js";

/** Real: the embedded vector store. A worker that cannot send heartbeats for seconds counts as dead. */
test("discarding many chunks lets the process have its turn in between", async () => {
	const home = await mkdtemp(join(tmpdir(), "lode-deletes-"));
	const store = createSqliteVectorStore({ path: join(home, "vectors.db") });
	try {
		const chunk = (at: number): ChunkRecord => ({
			source: "s",
			group: "default",
			model: "m",
			origin: `file:f${at}`,
			path: `f${at}`,
			ordinal: 0,
			kind: "text",
			startLine: 1,
			endLine: 1,
			text: `text ${at}`,
			vector: new Float32Array([1, 0, 0, 0]),
		});
		for (let at = 0; at < 9_000; at += 1_000) {
			await store.stage(
				1,
				Array.from({ length: 1_000 }, (_, index) => chunk(at + index)),
			);
		}
		let turns = 0;
		let ended = false;
		const count = () => {
			turns += 1;
			if (!ended) setImmediate(count);
		};
		setImmediate(count);
		await store.discard(1);
		ended = true;
		expect(turns).toBeGreaterThan(1);
		expect((await store.staged(1, "s")).added.count).toBe(0);
	} finally {
		await store.close();
		await rm(home, { recursive: true, force: true });
	}
});
