import { MockActivityEnvironment } from "@temporalio/testing";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { createLinkActivities } from "../../src/activities/staging/link-activities.js";
import { ALWAYS_PERMITTED } from "../../src/activities/staging/write-permits.js";
import { EMPTY_TALLY, tallyOf } from "../../src/domain/digest.js";
import { type GraphRecord, graphRecordDigest } from "../../src/domain/entities.js";
import { recipeOf } from "../../src/services/recipe.js";
import { createSqliteCatalog, openCatalogDatabase } from "../../src/stores/catalog/sqlite/sqlite-catalog.adapter.js";
import { createSqliteGraphStore } from "../../src/stores/graph/sqlite/sqlite-graph.adapter.js";
import { addSource, STATS, started } from "../support/catalog-fixtures.js";

const NAMES_A_PAGE = 4;
const NAMES = 30;

/** Whether the link step was done before, and its answer got lost; with other pages, as where a store has lost some names since. */
const EARLIER = ["never", "by this one", "with smaller pages", "with larger pages"] as const;
type Earlier = (typeof EARLIER)[number];

/** What each file provides, by its number; a file without an entry is as it was, one that provides nothing is gone. */
type Commit = ReadonlyMap<number, readonly { name: number; rank: number }[]>;

const commits: fc.Arbitrary<Commit[]> = fc.array(
	fc
		.array(fc.tuple(fc.nat(11), fc.array(fc.record({ name: fc.nat(NAMES - 1), rank: fc.nat(2) }), { maxLength: 12 })), {
			minLength: 1,
			maxLength: 8,
		})
		.map((files) => new Map(files)),
	{ minLength: 1, maxLength: 5 },
);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

/** Real catalog and graph, in memory. */
async function installation() {
	const database = openCatalogDatabase(":memory:");
	const catalog = createSqliteCatalog({ database });
	const graph = createSqliteGraphStore({ path: ":memory:" });
	closing.push(async () => {
		await graph.close();
		await catalog.close();
	});
	const source = await addSource(catalog, "s");
	const recipe = await recipeOf(catalog, source);
	let number = 0;

	async function link(seq: number, namesAPage = NAMES_A_PAGE) {
		const ports = { catalog, graph, plugins: undefined };
		const { linkNames } = createLinkActivities(ports, ALWAYS_PERMITTED, { begin: () => undefined }, namesAPage);
		return new MockActivityEnvironment().run(linkNames, seq);
	}

	async function ingest(commit: Commit, earlier: Earlier = "never") {
		const { seq } = await started(catalog, source, `c${++number}`, recipe);
		const origins = [...commit.keys()].map((file) => `file:${file}`);
		const records = [...commit].flatMap(([file, provides]): GraphRecord[] => {
			if (provides.length === 0) return [];
			const [origin, key] = [`file:${file}`, `file:s:${file}`];
			const named = provides.map(({ name, rank }) => ({ name: `name:s:symbol:ts:n${name}`, rank }));
			return [{ source, origin, key, kind: "file", name: `${file}`, props: {}, edges: [], provides: named }];
		});
		await graph.retire(seq, source, origins);
		await graph.stage(seq, records);
		const entries = records.map((record) => ({
			origin: record.origin,
			graph: tallyOf([graphRecordDigest(record)]),
			vectors: EMPTY_TALLY,
		}));
		await catalog.recordBatch(seq, { batch: "batch-0", retired: origins, entries });
		if (earlier === "by this one") await link(seq);
		if (earlier === "with smaller pages") await link(seq, NAMES_A_PAGE - 2);
		if (earlier === "with larger pages") await link(seq, NAMES_A_PAGE + 2);
		await link(seq);
		const expected = await catalog.expected(seq);
		expect(await graph.staged(seq, source)).toEqual(expected.graph);
		const { snapshot } = await catalog.publish(seq, STATS);
		return snapshot;
	}
	const links = async (snapshot: Awaited<ReturnType<typeof ingest>>) => {
		const names = Array.from({ length: NAMES }, (_, name) => `link:name:s:symbol:ts:n${name}`);
		return Promise.all(names.map((origin) => graph.records(snapshot, source, origin)));
	};
	return { ingest, links };
}

test("the link step leaves the same whatever the way there, the size of its pages and how often it was done", async () => {
	await fc.assert(
		fc.asyncProperty(commits, fc.constantFrom(...EARLIER), async (history, earlier) => {
			const [one, other] = [await installation(), await installation()];
			let shown: Awaited<ReturnType<typeof one.ingest>> | undefined;
			const files = new Map<number, readonly { name: number; rank: number }[]>();
			for (const commit of history) {
				shown = await one.ingest(commit, earlier);
				for (const [file, provides] of commit) files.set(file, provides);
			}
			const atOnce = await other.ingest(files);
			expect(shown && (await one.links(shown))).toEqual(await other.links(atOnce));
			for (const close of closing.splice(0)) await close();
		}),
		{ numRuns: 20 },
	);
});
