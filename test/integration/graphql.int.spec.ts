import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Stores } from "../../src/activities/ports.js";
import type { ApiServices } from "../../src/services/lode.js";
import { createReader } from "../../src/services/reading/create-reader.js";
import { LOCAL } from "../../src/services/security/principal.js";
import { createViews } from "../../src/services/viewing/create-views.js";
import { openApiServices } from "../../src/wiring.js";
import { ApiInstance, countingStores } from "../support/api-instance.js";
import { LodeInstance } from "../support/lode-instance.js";
import { createShop, type Shop } from "../support/shop-repository.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: the API over all stores of the embedded profile, a shop of three commits in it. */
let environment: TestWorkflowEnvironment;
let lode: LodeInstance;
let shop: Shop;
let source: string;
beforeAll(async () => {
	environment = await temporalEnvironment();
	lode = await LodeInstance.open(environment);
	shop = await createShop();
	for (const commit of shop.commits) source = (await lode.ingest(shop.path, commit)).source;
});
afterAll(async () => {
	await lode?.close();
	await shop?.remove();
	await environment?.teardown();
});
const open: ApiInstance[] = [];
afterEach(async () => {
	for (const api of open.splice(0)) await api.close();
});

async function start(options?: Parameters<typeof ApiInstance.open>[1]): Promise<ApiInstance> {
	const api = await ApiInstance.open(lode, options);
	open.push(api);
	return api;
}

/** The reads of the API over the given stores. */
const servicesOver = (stores: Stores) => async (): Promise<ApiServices> => {
	const nobodyAsks = () => {
		throw new Error("no repository is asked here");
	};
	const nobody = { progress: async () => undefined, waiting: async () => [], temporalUi: async () => null };
	const { commands, keys, principal, permit } = (await openApiServices(lode.config)).as(LOCAL);
	const reader = createReader({
		...stores,
		...nobody,
		adapterOf: nobodyAsks,
		provider: () => undefined,
		close: async () => {},
	});
	return {
		reader,
		commands,
		keys,
		principal,
		permit,
		views: createViews({ ...stores, ...nobody, reader, namespace: "default" }),
		close: async () => {},
	};
};

const codes = ({ errors }: { errors?: readonly { extensions: { code: string } }[] }) =>
	errors?.map(({ extensions }) => extensions.code);

describe("GraphQL reads", () => {
	test("answer what the services say: sources, commits, ingestions, snapshots, artifacts, events", async () => {
		const api = await start();
		const data = await api.data(`{
			snapshot { number publishedAt }
			sources { nodes { id kind head { commit snapshot files } groups { name indexing { model } } } }
			groups(source: "${source}") { name retention { maxVersions } }
			commits(source: "${source}") { nodes { sha snapshot details ingestion { id status stages { name state } } } }
			snapshots { nodes { number commit sourceId } }
			ingestions(status: [PUBLISHED], first: 2) { nodes { id progress { stage } waiting { message } } pageInfo { hasNextPage } }
			artifacts(source: "${source}", folder: "models") { nodes { path size object mediaType language } }
			events(types: ["IngestionPublished"]) { nodes { type stream source } }
		}`);
		expect(data.snapshot.number).toBe(3);
		expect(data.sources.nodes).toMatchObject([
			{
				id: source,
				kind: "GIT",
				head: { commit: shop.commits[2], snapshot: 3, files: 7 },
				groups: [{ name: "default" }],
			},
		]);
		expect(data.commits.nodes.map(({ sha }: { sha: string }) => sha)).toEqual([...shop.commits].reverse());
		expect(data.commits.nodes[1]).toMatchObject({ snapshot: 2, details: { subject: "Give money back" } });
		expect(data.commits.nodes[0].ingestion.stages.every(({ state }: { state: string }) => state === "DONE")).toBe(true);
		expect(data.snapshots.nodes.map(({ number }: { number: number }) => number)).toEqual([3, 2, 1]);
		expect(data.ingestions).toMatchObject({
			nodes: [
				{ id: "ing-3", progress: null, waiting: [] },
				{ id: "ing-2", progress: null, waiting: [] },
			],
			pageInfo: { hasNextPage: true },
		});
		expect(data.artifacts.nodes.map(({ path }: { path: string }) => path)).toEqual([
			"models/customers.sql",
			"models/schema.yml",
			"models/staging/stg_orders.sql",
		]);
		expect(data.events.nodes).toHaveLength(3);
	});

	test("walk the graph: neighbours by kind and direction, lineage, impact, paths", async () => {
		const api = await start();
		const data = await api.data(`{
			entity(entity: "customers") { entity { kind neighbours(kinds: [DERIVES_FROM, DEFINES]) { nodes { kind direction entity { name } } } } }
			up: lineage(entity: "customers", direction: UP) { reached { depth entity { name } } }
			down: lineage(entity: "raw_orders", direction: DOWN) { edges { depth fromEntity { name } } truncated }
			impact(entity: "parseOrders", depth: 2) { edges { kind fromEntity { name } toEntity { name } } }
			paths(from: "customers", to: "raw_orders", direction: OUT) { paths { length edges { kind toEntity { name } } } }
			none: paths(from: "customers", to: "raw_orders", direction: IN) { paths { length } }
		}`);
		expect(data.entity.entity).toEqual({
			kind: "DATA_MODEL",
			neighbours: {
				nodes: [
					{ kind: "DERIVES_FROM", direction: "OUT", entity: { name: "stg_orders" } },
					{ kind: "DEFINES", direction: "IN", entity: { name: "customers.sql" } },
				],
			},
		});
		expect(
			data.up.reached.map((one: { depth: number; entity: { name: string } }) => [one.depth, one.entity.name]),
		).toEqual([
			[0, "customers"],
			[1, "stg_orders"],
			[2, "raw_orders"],
			[3, "raw_orders.csv"],
		]);
		expect(data.down).toEqual({
			edges: [
				{ depth: 1, fromEntity: { name: "stg_orders" } },
				{ depth: 2, fromEntity: { name: "customers" } },
			],
			truncated: false,
		});
		expect(data.impact.edges).toContainEqual({
			kind: "CALLS",
			fromEntity: { name: "readOrders" },
			toEntity: { name: "parseOrders" },
		});
		expect(data.paths.paths).toEqual([
			{
				length: 2,
				edges: [
					{ kind: "DERIVES_FROM", toEntity: { name: "stg_orders" } },
					{ kind: "DERIVES_FROM", toEntity: { name: "raw_orders" } },
				],
			},
		]);
		expect(data.none.paths).toEqual([]);
	});

	test("search: all that the service tells of a hit, its graph and its origin where they are selected", async () => {
		const api = await start();
		const { search } = await api.data(
			`query {
				search(text: "refundedOrders", languages: ["typescript"], groupBy: CUSTOM, rules: [{ name: "code", glob: "src/**" }]) {
					...found
					hits { ... on SearchHit { context { entity { kind name } neighbours { edge direction key } } } }
					groups { key source hits } unavailable { model } pluginProblems
				}
			}
			fragment found on SearchResult {
				hits { id group ordinal language certainty model symbol text highlights { start end } annotations
					from: provenance { file { path artifact } commit ingestion workflowId runId model } }
			}`,
		);
		const [hit] = search.hits;
		expect(hit).toMatchObject({
			symbol: "refundedOrders",
			language: "typescript",
			group: "default",
			annotations: null,
		});
		expect(hit.text.slice(hit.highlights[0].start, hit.highlights[0].end)).toMatch(/^(refunded|Orders)/i);
		expect(hit.context.entity).toEqual({ kind: "SYMBOL", name: "refundedOrders" });
		expect(hit.context.neighbours).toContainEqual(expect.objectContaining({ edge: "DEFINES", direction: "IN" }));
		expect(hit.from.model).toBe(hit.model);
		expect(shop.commits).toContain(hit.from.commit);
		expect(hit.from.file.artifact).toMatch(/^[0-9a-f]{64}$/);
		expect(hit.from).toMatchObject({
			ingestion: expect.stringMatching(/^ing-\d+$/),
			workflowId: expect.stringMatching(/^ingest\//),
		});
		expect(hit.from.runId).toMatch(/^[0-9a-f-]{36}$/);
		expect(search.groups[0]).toEqual({ key: "code", source: null, hits: expect.arrayContaining([0]) });

		const like = await api.data(
			"query ($id: String) { search(like: $id, first: 2) { hits { id context { entity { key } } } } }",
			{
				id: hit.id,
			},
		);
		expect(like.search.hits.map(({ id }: { id: string }) => id)).not.toContain(hit.id);
		const neither = await api.graphql("{ search { hits { id } } }");
		expect(codes(neither)).toContain("USAGE");
		const ungrouped = await api.graphql('{ search(text: "x", rules: [{ name: "a", glob: "b" }]) { hits { id } } }');
		expect(codes(ungrouped)).toContain("USAGE");
	});

	test("travel in time: one at counts for the whole request, and two are refused", async () => {
		const api = await start();
		const then = await api.data(
			`query($at: String) {
				search(text: "refundedOrders", at: $at) { snapshot hits { symbol } }
				snapshot { number } ingestions { nodes { id } } events { nodes { time } }
				artifacts(source: "${source}", folder: "seeds") { nodes { path } }
				sources { nodes { head { commit } } }
			}`,
			{ at: shop.commits[0] },
		);
		expect(then.snapshot.number).toBe(1);
		expect(then.search.snapshot).toBe(1);
		expect(then.search.hits.map(({ symbol }: { symbol: string }) => symbol)).not.toContain("refundedOrders");
		expect(then.ingestions.nodes).toEqual([{ id: "ing-1" }]);
		expect(then.artifacts.nodes).toHaveLength(2);
		expect(then.sources.nodes[0].head.commit).toBe(shop.commits[0]);
		const now = await api.data(`{ search(text: "refundedOrders") { hits { symbol } } events { nodes { time } } }`);
		expect(now.search.hits[0].symbol).toBe("refundedOrders");
		expect(now.events.nodes.length).toBeGreaterThan(then.events.nodes.length);

		const mixed = await api.graphql(`{ a: snapshot(at: "1") { number } b: snapshot(at: "2") { number } }`);
		expect(codes(mixed)).toContain("USAGE");
		expect(mixed.data).toBeNull();
		const diff = await api.data(
			`{ diff(source: "${source}", from: "1", to: "2") { from to changes { nodes { name change } } } }`,
		);
		expect(diff.diff).toMatchObject({ from: shop.commits[0], to: shop.commits[1] });
		expect(diff.diff.changes.nodes).toContainEqual({ name: "refundedOrders", change: "ADDED" });
	});

	test("page through every list without leaving out or doubling anything, in the snapshot of the first page", async () => {
		const api = await start();
		const lists = {
			entities: "key",
			artifacts: "path",
			events: "id",
			ingestions: "id",
			snapshots: "number",
			sources: "id",
		} as const;
		for (const [list, id] of Object.entries(lists)) {
			const fixed = list === "artifacts" ? `, source: "${source}"` : "";
			const whole = await api.data(`{ ${list}(first: 100${fixed}, at: "2") { nodes { ${id} } } }`);
			const found: unknown[] = [];
			for (let after: string | null = null; ; ) {
				const query = `query($after: String, $at: String) { ${list}(first: 3, after: $after, at: $at${fixed}) { edges { node { ${id} } } pageInfo { hasNextPage endCursor } } snapshot { number } }`;
				// Only the first page says which snapshot.
				const data = await api.data(query, { after, ...(after === null && { at: "2" }) });
				expect(data.snapshot.number).toBe(2);
				found.push(...data[list].edges.map(({ node }: { node: Record<string, unknown> }) => node[id]));
				after = data[list].pageInfo.endCursor;
				if (!data[list].pageInfo.hasNextPage) break;
			}
			expect(found.length, list).toBeGreaterThan(0);
			expect(found, list).toEqual(whole[list].nodes.map((node: Record<string, unknown>) => node[id]));
		}
	});

	test("ask the stores a number of questions that does not grow with the answer", async () => {
		const { stores, counts } = countingStores(lode.ports);
		const api = await start({ services: servicesOver(stores) });
		const ask = async (first: number) => {
			counts.clear();
			const data = await api.data(
				`query($first: Int) { entities(first: $first, kinds: [FILE, SYMBOL, DATA_MODEL, COLUMN, FOLDER]) { nodes { key
					neighbours(first: 5) { nodes { entity { key neighbours(direction: OUT, first: 3) { nodes { entity { name } } } } } } } }
					commits(source: "${source}", first: $first) { nodes { details entity { name } } } }`,
				{ first },
			);
			return { nodes: data.entities.nodes.length as number, counts: Object.fromEntries(counts) };
		};
		const few = await ask(2);
		const many = await ask(20);
		expect(many.nodes).toBe(20);
		expect(few.nodes).toBe(2);
		expect(many.counts).toEqual(few.counts);
		expect(many.counts["graph.neighbours"]).toBe(3);
		counts.clear();
		await api.data("{ sources { nodes { head { commit files } } } snapshots { nodes { number } } }");
		expect([counts.get("catalog.heads"), counts.get("catalog.head")]).toEqual([1, undefined]);
		expect(many.counts["graph.entitiesByKey"]).toBeLessThanOrEqual(3);
	});

	test("refuse bombs of depth, aliases, tokens and cost before anything runs", async () => {
		const { stores, counts } = countingStores(lode.ports);
		const api = await start({ services: servicesOver(stores) });
		counts.clear();
		const nested = (depth: number): string =>
			depth === 0 ? "key" : `neighbours(first: 1) { nodes { entity { ${nested(depth - 1)} } } }`;
		const cycle = "fragment A on Entity { neighbours { nodes { entity { ...A } } } }";
		const fan = Array.from({ length: 14 }, (_, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`).join(
			" ",
		);
		const bombs: Record<string, [string, string]> = {
			depth: [`{ entity(entity: "customers") { entity { ${nested(6)} } } }`, "QUERY_TOO_LARGE"],
			aliases: [
				`{ ${Array.from({ length: 31 }, (_, at) => `a${at}: snapshot { number }`).join(" ")} }`,
				"QUERY_TOO_LARGE",
			],
			tokens: [`{ ${"snapshot { number } ".repeat(600)} }`, "QUERY_TOO_LARGE"],
			directives: [`{ snapshot { number ${"@include(if: true) ".repeat(30)} } }`, "QUERY_TOO_LARGE"],
			cost: [
				`{ entities(first: 100) { nodes { neighbours(first: 100) { nodes { entity { neighbours(first: 100) { nodes { key } } } } } } } }`,
				"QUERY_TOO_LARGE",
			],
			cycle: [`{ entities { nodes { ...A } } } ${cycle}`, "USAGE"],
			fan: [
				`{ ...F0 } ${fan} fragment F14 on Query { entities(first: 100) { nodes { key name kind } } }`,
				"QUERY_TOO_LARGE",
			],
			introspection: [
				"{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
				"USAGE",
			],
			batch: [`{ entities(first: 1000) { nodes { key } } }`, "USAGE"],
		};
		for (const [name, [query, code]] of Object.entries(bombs)) {
			const answer = await api.graphql(query);
			expect([name, ...new Set(codes(answer))]).toEqual([name, code]);
		}
		counts.delete("catalog.sources");
		expect(Object.keys(Object.fromEntries(counts)).filter((call) => !call.startsWith("catalog."))).toEqual([]);
	});

	test("say what is wrong with Lode's codes, and nothing of themselves", async () => {
		const api = await start();
		const problems: Record<string, [string, string]> = {
			unknown: ["{ nothing }", "USAGE"],
			syntax: ["{ snapshot {", "USAGE"],
			at: [`{ snapshot(at: "never") { number } }`, "USAGE"],
			snapshot: [`{ snapshot(at: "99") { number } }`, "SNAPSHOT_NOT_FOUND"],
			source: [`{ source(source: "nowhere") { id } }`, "SOURCE_NOT_FOUND"],
			entity: [`{ entity(entity: "nothing-like-it") { entity { key } } }`, "ENTITY_NOT_FOUND"],
			artifact: [`{ artifact(source: "${source}", path: "../../etc/passwd") { object } }`, "ARTIFACT_NOT_FOUND"],
			ingestion: [`{ ingestion(id: "ing-99") { id } }`, "INGESTION_NOT_FOUND"],
			cursor: [`{ events(after: "bm9uc2Vuc2U") { nodes { id } } }`, "USAGE"],
		};
		for (const [name, [query, code]] of Object.entries(problems)) {
			const answer = await api.graphql(query);
			expect([name, ...new Set(codes(answer))]).toEqual([name, code]);
			expect(JSON.stringify(answer)).not.toMatch(/node_modules|\.js:\d|\.ts:\d/);
		}
		const get = await fetch(`${api.url}/graphql?query=${encodeURIComponent("{ snapshot { number } }")}`);
		expect(await get.json()).toEqual({ data: { snapshot: { number: 3 } } });
	});

	test("can be tried on a page of its own, in development only", async () => {
		const api = await start();
		expect((await fetch(`${api.url}/graphql/explorer/`)).status).toBe(404);
		const developing = await start({ explorer: true });
		const page = await fetch(`${developing.url}/graphql/explorer`);
		expect(page.status).toBe(200);
		const html = await page.text();
		const script = /<script[^>]*\ssrc="([^"]+\.js)"/.exec(html)?.[1] as string;
		const loaded = await fetch(new URL(script, `${developing.url}/graphql/explorer/`));
		expect([loaded.status, loaded.headers.get("content-type")]).toEqual([200, expect.stringContaining("javascript")]);
		expect(html).not.toMatch(/src="https?:/);
	});
});
