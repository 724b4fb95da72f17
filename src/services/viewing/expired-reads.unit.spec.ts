import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addSource, ingest, TestClock } from "../../../test/support/catalog-fixtures.js";
import type { GraphRecord } from "../../domain/entities.js";
import { fileKey, fileOrigin } from "../../domain/keys.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import { createSqliteCatalog } from "../../stores/catalog/sqlite/sqlite-catalog.adapter.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import { createSqliteGraphStore } from "../../stores/graph/sqlite/sqlite-graph.adapter.js";
import type { LodeReader } from "../lode.js";
import { createReader, type ReaderPorts } from "../reading/create-reader.js";
import { createViews } from "./create-views.js";
import type { LodeView } from "./lode-view.js";

const KEY = fileKey("shop", "a.md");
const PAGE = { first: 10, after: undefined };
const BOUNDS = { depth: 2, limit: 10 };

const READS: Record<string, (reader: LodeReader, view: LodeView) => Promise<unknown>> = {
	graph: (reader) => reader.graph(KEY, { depth: 1, at: "1" }),
	neighbours: (reader) => reader.neighbours(KEY, { direction: "both", at: "1" }),
	lineage: (reader) => reader.lineage(KEY, { direction: "up", depth: 2, at: "1" }),
	"a file": (reader) => reader.file("a.md", { at: "1" }),
	overview: (reader) => reader.overview("shop", { at: "1" }),
	diff: (reader) => reader.diff("shop", "2", "1"),
	"an entity of a view": (_, view) => view.entity(KEY),
	"entities of a view": (_, view) => view.entities({}, PAGE),
	"entities of a view by key": (_, view) => view.entitiesByKey([KEY]),
	"neighbours of a view": (_, view) => view.neighbours([KEY], { direction: "out", limit: 5 }, "shop"),
	"paths of a view": (_, view) => view.paths({ from: KEY, to: KEY }, {}, BOUNDS),
	"lineage of a view": (_, view) => view.lineage(KEY, "down", BOUNDS),
	"impact of a view": (_, view) => view.impact(KEY, BOUNDS),
	"files of a view": (_, view) => view.files("shop", undefined, PAGE),
	"a file of a view": (_, view) => view.file("shop", "a.md"),
	"a diff of a view": (_, view) => view.diff("shop", "1", "2", PAGE),
};

/** Real: catalog and graph in SQLite. Stand-in: an archive that has nothing. */
describe("a version that expires and is collected while it is read", () => {
	const clock = new TestClock();
	let catalog: Catalog;
	let graph: GraphStore;
	/** Before the first question to a store about what is in the snapshot. */
	let meanwhile: () => Promise<void>;
	beforeEach(async () => {
		meanwhile = async () => undefined;
		catalog = createSqliteCatalog({ path: ":memory:", now: clock.now });
		graph = createSqliteGraphStore({ path: ":memory:" });
		const source = await addSource(catalog, "shop", { maxVersions: 1 });
		const first = await ingest(catalog, source, "c1", { "a.md": 1 });
		await graph.stage(first.ingestion.seq, [state("a.md")]);
		clock.advance(60);
		const second = await ingest(catalog, source, "c2", { "a.md": 0, "b.md": 1 });
		await graph.retire(second.ingestion.seq, source, [fileOrigin("a.md")]);
		await graph.stage(second.ingestion.seq, [state("b.md")]);
		clock.advance(60);
	});
	afterEach(async () => {
		await graph.close();
		await catalog.close();
	});

	const state = (path: string): GraphRecord => ({
		...{ source: "shop", origin: fileOrigin(path), key: fileKey("shop", path), kind: "file", name: path, props: {} },
		...{ edges: [], provides: [] },
	});

	async function collect(): Promise<void> {
		const horizon = await catalog.moveHorizon("shop", clock.now());
		if (!horizon) throw new Error("nothing expired");
		await graph.collect("shop", horizon, []);
		await catalog.collect("shop", horizon);
	}

	/** The store, whose answers about records come after `meanwhile`. */
	const slow = <Store extends object>(store: Store, methods: readonly (keyof Store)[] = []): Store =>
		new Proxy(store, {
			get(target, name) {
				const value: unknown = Reflect.get(target, name);
				if (typeof value !== "function") return value;
				if (methods.length > 0 && !methods.includes(name as keyof Store)) return value.bind(target);
				return async (...args: unknown[]) => {
					const change = meanwhile;
					meanwhile = async () => undefined;
					await change();
					return value.apply(target, args);
				};
			},
		});

	async function read(name: string): Promise<unknown> {
		const ports = {
			catalog: slow(catalog, ["entries", "entriesOf"]),
			graph: slow(graph),
			artifacts: slow({ root: async () => undefined }),
		} as unknown as ReaderPorts;
		const reader = createReader(ports);
		const views = createViews({ ...ports, reader, namespace: "default" } as never);
		return READS[name]?.(reader, await views.open({ at: "1" }));
	}

	test.each(Object.keys(READS).filter((name) => name !== "a file"))("%s is there before", async (name) => {
		expect(await read(name)).toBeDefined();
	});

	test.each(Object.keys(READS))("%s says that it expired, and nothing in part", async (name) => {
		meanwhile = collect;
		await expect(read(name)).rejects.toMatchObject({ code: "SNAPSHOT_EXPIRED" });
	});
});
