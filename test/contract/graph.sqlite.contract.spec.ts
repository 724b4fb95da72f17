import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareBytes } from "../../src/domain/byte-order.js";
import { tallyOf } from "../../src/domain/digest.js";
import { type GraphRecord, graphRecordDigest } from "../../src/domain/entities.js";
import { fileOrigin, nameKey } from "../../src/domain/keys.js";
import type { GraphStore } from "../../src/stores/graph/graph.port.js";
import { packRecords, unpackRecords } from "../../src/stores/graph/sqlite/packed-records.js";
import { createSqliteGraphStore } from "../../src/stores/graph/sqlite/sqlite-graph.adapter.js";
import { calledStore } from "../support/calls-in-process.js";
import { storeInFolder } from "../support/store-in-folder.js";
import { graphStoreContract } from "./graph.contract.js";

const contract = (name: string, open: (path: string) => GraphStore) =>
	graphStoreContract(name, { create: () => storeInFolder((folder) => open(join(folder, "graph.db"))) });

contract("SQLite graph", (path) => createSqliteGraphStore({ path }));
contract("SQLite graph by calls", (path) =>
	calledStore(
		createSqliteGraphStore({ path }),
		{ capabilities: { refusesClosedSeq: true } },
		{ stage: packRecords },
		{ stage: unpackRecords },
	),
);

test("an ingestion of more states than a page has its names listed once each and all of it summed up", async () => {
	const folder = await mkdtemp(join(tmpdir(), "lode-graph-"));
	const store = createSqliteGraphStore({ path: join(folder, "graph.db") });
	try {
		const name = (of: string) => nameKey("s", "symbol", "typescript", of);
		const states = (seq: number, count: number): GraphRecord[] =>
			Array.from({ length: count }, (_, at) => ({
				source: "s",
				origin: fileOrigin(`${at}.ts`),
				key: `symbol:s:${at}.ts#f`,
				kind: "symbol" as const,
				name: "f",
				props: { seq },
				edges: [],
				// Each its own, and one that all share.
				provides: [
					{ name: name(`f${at % 4_100}`), rank: 0 },
					{ name: name("shared"), rank: 1 },
				],
			}));
		const [first, second] = [states(1, 4_500), states(2, 2_100)];
		await store.stage(1, first);
		await store.retire(
			2,
			"s",
			second.map(({ origin }) => origin),
		);
		await store.stage(2, second);
		// What another source states has another seq, and is nobody else's.
		await store.stage(3, [{ ...(first[0] as GraphRecord), source: "other" }]);

		for (const [seq, count] of [
			[1, 4_100],
			[2, 2_100],
		] as const) {
			const found: string[] = [];
			for (let after: string | undefined; ; after = found.at(-1)) {
				const page = await store.touchedNames(seq, "s", after, 500);
				if (page.length === 0) break;
				found.push(...page);
			}
			const names = [...Array.from({ length: count }, (_, at) => name(`f${at}`)), name("shared")];
			expect(found).toEqual(names.sort(compareBytes));
		}
		const digests = (records: readonly GraphRecord[]) => tallyOf(records.map(graphRecordDigest));
		expect(await store.staged(1, "s")).toEqual({ added: digests(first), retired: digests([]) });
		expect(await store.staged(2, "s")).toEqual({ added: digests(second), retired: digests(first.slice(0, 2_100)) });
	} finally {
		await store.close();
		await rm(folder, { recursive: true, force: true });
	}
});
