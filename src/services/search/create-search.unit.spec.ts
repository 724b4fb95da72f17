import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addSource, ingest, TestClock } from "../../../test/support/catalog-fixtures.js";
import { fileOrigin } from "../../domain/keys.js";
import type { ChunkRecord } from "../../domain/mined-file.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { createSqliteCatalog } from "../../stores/catalog/sqlite/sqlite-catalog.adapter.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import { createSqliteGraphStore } from "../../stores/graph/sqlite/sqlite-graph.adapter.js";
import { createSqliteVectorStore } from "../../stores/vectors/sqlite/sqlite-vectors.adapter.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import { createSearch } from "./create-search.js";
import type { SearchLog } from "./search-log.js";

/** Real: the embedded stores. */
describe("a search of an old version", () => {
	const clock = new TestClock();
	let catalog: Catalog;
	let graph: GraphStore;
	let vectors: VectorStore;
	beforeEach(async () => {
		catalog = createSqliteCatalog({ path: ":memory:", now: clock.now });
		graph = createSqliteGraphStore({ path: ":memory:" });
		vectors = createSqliteVectorStore({ path: ":memory:" });
		const source = await addSource(catalog, "shop", { maxVersions: 1 });
		const first = await ingest(catalog, source, "c1", { "a.md": 1, "b.md": 1 });
		await vectors.stage(first.ingestion.seq, [chunk("a.md"), chunk("b.md")]);
		clock.advance(60);
		const second = await ingest(catalog, source, "c2", { "a.md": 0 });
		await vectors.retire(second.ingestion.seq, source, [fileOrigin("a.md")]);
		clock.advance(60);
	});
	afterEach(async () => {
		for (const store of [catalog, graph, vectors]) await store.close();
	});

	const chunk = (path: string): ChunkRecord => ({
		...{ source: "shop", group: "default", origin: fileOrigin(path), path, ordinal: 0, startLine: 1, endLine: 2 },
		...{ kind: "section", model: "test/a", text: "orders that were refunded", vector: new Float32Array(8).fill(0.5) },
	});

	async function collect(): Promise<void> {
		const horizon = await catalog.moveHorizon("shop", clock.now());
		if (horizon) await vectors.collect("shop", horizon, []);
	}

	/** `meanwhile`: once the snapshot was taken, and before chunks are ranked. */
	function searching(meanwhile: () => Promise<void>) {
		const told: unknown[] = [];
		const searchLog: SearchLog = {
			received: () => ({
				generated: ({ hits }) => void told.push(hits.map(({ path }) => path)),
				rejected: (error) => void told.push((error as { code: string }).code),
			}),
			close: async () => undefined,
		};
		const slow = new Proxy(vectors, {
			get(store, name) {
				const value: unknown = Reflect.get(store, name);
				if (typeof value !== "function") return value;
				return async (...args: unknown[]) => {
					if (name === "searchText") await meanwhile();
					return value.apply(store, args);
				};
			},
		});
		const search = createSearch({ catalog, graph, vectors: slow, provider: () => undefined, searchLog });
		return { told, at: async (at?: string) => search({ text: "refunded", limit: 5, at }) };
	}

	test("finds what was there then", async () => {
		const { at, told } = searching(async () => undefined);
		expect((await at("1")).hits.map(({ path }) => path).sort()).toEqual(["a.md", "b.md"]);
		expect((await at()).hits.map(({ path }) => path)).toEqual(["b.md"]);
		expect(told).toHaveLength(2);
	});

	test("says that it expired while it was answered, and shows nothing of what is left of it", async () => {
		const { at, told } = searching(collect);
		await expect(at("1")).rejects.toMatchObject({ code: "SNAPSHOT_EXPIRED" });
		expect(told).toEqual(["SNAPSHOT_EXPIRED"]);
		// Of the latest one nothing goes.
		expect((await at()).hits.map(({ path }) => path)).toEqual(["b.md"]);
	});
});
