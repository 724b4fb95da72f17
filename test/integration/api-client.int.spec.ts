import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { GraphQLClient } from "graphql-request";
import { type Client, createClient } from "graphql-ws";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { ApiServices } from "../../src/services/lode.js";
import { LOCAL } from "../../src/services/security/principal.js";
import { openApiServices } from "../../src/wiring.js";
import { ApiInstance } from "../support/api-instance.js";
import { LodeInstance } from "../support/lode-instance.js";
import { type OperationInput, openApiClient } from "../support/openapi-client.js";
import { createShop } from "../support/shop-repository.js";
import { temporalEnvironment } from "../support/temporal-environment.js";
import { versionedRepository } from "../support/versioned-repository.js";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/** Real: a whole Lode, and clients that others wrote: graphql-request, graphql-ws over ws, and one that @hey-api/openapi-ts makes. */
let environment: TestWorkflowEnvironment;
let lode: LodeInstance;
let api: ApiInstance;
let http: GraphQLClient;
let socket: Client;
beforeAll(async () => {
	environment = await temporalEnvironment();
});
afterAll(() => environment?.teardown());
beforeEach(async () => {
	lode = await LodeInstance.open(environment);
	api = await ApiInstance.open(lode);
	http = new GraphQLClient(`${api.url}/graphql`);
	socket = createClient({
		url: `${api.url.replace("http", "ws")}/graphql`,
		webSocketImpl: WebSocket,
		retryAttempts: 0,
	});
});
afterEach(async () => {
	await socket?.dispose();
	await api?.close();
	await lode?.close();
});

/** What a subscription sends; `ended` when it completes, or fails. */
function follow(query: string, variables: Record<string, unknown> = {}) {
	const values: Answer[] = [];
	let stop = () => {};
	const ended = new Promise<void>((resolve, reject) => {
		stop = socket.subscribe<Answer>(
			{ query, variables },
			{ next: ({ data, errors }) => values.push(errors ?? data), error: reject, complete: resolve },
		);
	});
	return { values, ended, stop };
}

async function until(isThere: () => boolean): Promise<void> {
	while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("a client that nobody here wrote", () => {
	test("runs a whole session: ingest, watch, a group of its own, search, travel in time, diff, delete", async () => {
		const shop = await createShop();
		try {
			const published = follow("subscription { snapshotPublished { number commit sourceId } }");
			const events = follow(
				`subscription { eventAppended(after: 0, types: ["CommandAccepted", "IngestionPublished"]) { type position } }`,
			);
			const ingest = (ref: string, key: string): Promise<Answer> =>
				http.request(
					`mutation($target: String, $ref: String, $key: String) { ingest(target: $target, ref: $ref, idempotencyKey: $key) { id status visibilityToken } }`,
					{ target: shop.path, ref, key },
				);
			const { ingest: first } = await ingest(shop.commits[0], "one");
			expect(["PENDING", "RUNNING", "SUCCEEDED"]).toContain(first.status);
			expect((await ingest(shop.commits[0], "one")).ingest.id).toBe(first.id);

			const watched = follow(
				"subscription($id: ID!) { ingestionProgress(id: $id) { ingestion status stages { name state } snapshot progress { stage } } }",
				{ id: first.id },
			);
			await watched.ended;
			expect(watched.values.at(-1).ingestionProgress).toMatchObject({
				ingestion: "ing-1",
				status: "PUBLISHED",
				snapshot: 1,
			});

			const { sources }: Answer = await http.request("{ sources { nodes { id groups { id name state } } } }");
			const [{ id: source, groups }] = sources.nodes;
			expect(groups).toEqual([{ id: `${source}:default`, name: "default", state: "INDEXED" }]);
			const { createGroup }: Answer = await http.request(
				`mutation($source: String!, $include: [String!]) {
					createGroup(source: $source, name: "code", path: "src", include: $include, indexing: { chunkSize: 400, overlap: 0 }, grouping: FOLDER) { id status visibilityToken }
				}`,
				{ source, include: ["**/*.ts"] },
			);
			const grouped: Answer = await http.request(
				`query($token: String, $id: ID!) {
					search(text: "orders", group: "code", minVisibility: $token, visibilityTimeout: 60) { snapshot hits { path group } groups { key } }
					group(id: $id) { state serves { path } path include rules { name } indexing { chunkSize } retention { maxVersions } }
				}`,
				{ token: createGroup.visibilityToken, id: `${source}:code` },
			);
			expect(grouped.search).toMatchObject({ snapshot: 2, groups: [{ key: "src" }] });
			expect(new Set(grouped.search.hits.map(({ path, group }: Answer) => `${group} ${path}`))).toEqual(
				new Set(["code src/orders.ts"]),
			);
			expect(grouped.group).toMatchObject({
				state: "INDEXED",
				serves: null,
				path: "src",
				indexing: { chunkSize: 400 },
			});
			const made: Answer = await http.request("query($id: ID!) { command(id: $id) { kind status ingestion result } }", {
				id: createGroup.id,
			});
			expect(made.command).toMatchObject({
				...{ kind: "CREATE_GROUP", status: "SUCCEEDED", ingestion: "ing-2" },
				result: { name: "code", state: "indexed", reindex: { outcome: "switched", snapshot: 2 } },
			});
			const refused = http.request(
				`mutation($group: ID!) { updateGroup(group: $group, path: "../x", indexing: { chunkSize: 7 }) { id } }`,
				{ group: `${source}:code` },
			);
			await expect(refused).rejects.toMatchObject({
				response: {
					errors: [
						{
							extensions: {
								code: "GROUP_INVALID",
								fields: {
									path: expect.stringContaining("inside"),
									"indexing.chunkSize": expect.stringContaining("200"),
								},
							},
						},
					],
				},
			});

			const { ingest: second } = await ingest(shop.commits[1], "two");
			const seen: Answer = await http.request(
				`query($token: String) { search(text: "refundedOrders", minVisibility: $token, visibilityTimeout: 60) { snapshot hits { symbol source } } }`,
				{ token: second.visibilityToken },
			);
			expect(seen.search.snapshot).toBe(3);
			expect(seen.search.hits[0].symbol).toBe("refundedOrders");
			// Two groups have its lines: they come once.
			expect(seen.search.hits.filter(({ symbol }: Answer) => symbol === "refundedOrders")).toHaveLength(1);
			const then: Answer = await http.request(`{ search(text: "refundedOrders", at: "1") { hits { symbol } } }`);
			expect(then.search.hits.map(({ symbol }: Answer) => symbol)).not.toContain("refundedOrders");
			const diff: Answer = await http.request(
				"query($source: String!, $from: String!, $to: String) { diff(source: $source, from: $from, to: $to) { changes { nodes { name change } } } }",
				{ source, from: shop.commits[0], to: shop.commits[1] },
			);
			expect(diff.diff.changes.nodes).toContainEqual({ name: "refundedOrders", change: "ADDED" });
			const command: Answer = await http.request(
				"query($id: ID!) { command(id: $id) { status result history { type } } }",
				{ id: second.id },
			);
			expect(command.command).toMatchObject({ status: "SUCCEEDED", result: { outcome: "published", snapshot: 3 } });

			const { deleteGroup }: Answer = await http.request(
				`mutation($group: ID!) { deleteGroup(group: $group, timeout: 60) { status result } }`,
				{ group: `${source}:code` },
			);
			expect(deleteGroup).toMatchObject({
				status: "SUCCEEDED",
				result: { state: "deleted", reindex: { snapshot: 4 } },
			});
			const removed: Answer = await http.request(
				"mutation($source: ID!) { deleteSource(source: $source, timeout: 60) { status } }",
				{ source },
			);
			expect(removed.deleteSource.status).toBe("SUCCEEDED");
			expect(await http.request("{ sources { nodes { id } } }")).toEqual({ sources: { nodes: [] } });
			await expect(
				http.request("query($source: String!) { source(source: $source) { id } }", { source }),
			).rejects.toMatchObject({
				response: { errors: [{ extensions: { code: "SOURCE_NOT_FOUND", retryable: false } }] },
			});

			await until(() => published.values.length === 4 && events.values.length === 9);
			expect(published.values.map(({ snapshotPublished: { number, commit } }: Answer) => [number, commit])).toEqual([
				[1, shop.commits[0]],
				[2, shop.commits[0]],
				[3, shop.commits[1]],
				[4, shop.commits[1]],
			]);
			expect(events.values.map(({ eventAppended: { type } }: Answer) => type)).toEqual([
				...Array(4).fill(["CommandAccepted", "IngestionPublished"]).flat(),
				"CommandAccepted",
			]);
			published.stop();
			await published.ended;
		} finally {
			await shop.remove();
		}
	});

	test("generated from the OpenAPI document runs the same session", async () => {
		const shop = await createShop();
		const { operations, remove } = await openApiClient(api.url);
		/** The answer of an operation; its status has to be the one that is named. */
		const call = async (status: number, operation: string, options: OperationInput) => {
			const ask = operations[operation];
			if (ask === undefined) throw new Error(`the document has no operation ${operation}`);
			const { data, error, response } = await ask(options);
			if (response.status !== status)
				throw new Error(`${operation}: ${response.status} ${JSON.stringify(data ?? error)}`);
			return data ?? error;
		};
		const timeout = 60;
		try {
			const added = await call(201, "sourcesWritingCreate", { body: { target: shop.path } });
			const { id: source } = added.result.source;
			// A group of a source of which nothing is published yet: it counts from the first commit on.
			const body = { source, name: "docs", include: ["*.md"], indexing: { chunkSize: 300, overlap: 0 } };
			const key = { "Idempotency-Key": "docs" };
			const made = await call(200, "groupsWritingCreate", { body, query: { timeout }, headers: key });
			expect(made).toMatchObject({
				kind: "create-group",
				status: "SUCCEEDED",
				result: { reindex: { outcome: "nothing" } },
			});
			expect(await call(200, "groupsWritingCreate", { body, query: { timeout }, headers: key })).toEqual(made);
			expect(await call(409, "groupsWritingCreate", { body })).toMatchObject({ code: "GROUP_EXISTS" });
			expect(
				await call(422, "groupsWritingCreate", {
					body: { source, name: "A", include: ["/x"], indexing: 3, colour: "red" },
				}),
			).toMatchObject({
				code: "GROUP_INVALID",
				fields: {
					name: expect.stringContaining("lower-case"),
					"include.0": expect.stringContaining("inside the source"),
					indexing: expect.stringContaining("{model, chunkSize, overlap}"),
					colour: "is not known",
				},
			});

			const deep = JSON.parse(`${"[".repeat(2_000)}${"]".repeat(2_000)}`) as unknown;
			await call(400, "groupsWritingCreate", { body: { ...body, include: deep }, headers: key });

			const started = await call(202, "ingestionsWritingCreate", { body: { source, ref: shop.commits[0] } });
			const path = { id: started.command_id };
			const seen = new Set<string>();
			for (let status = "PENDING"; status === "PENDING" || status === "RUNNING"; ) {
				({ status } = await call(200, "commandsStatus", { path }));
				seen.add(status);
			}
			expect(seen).toContain("SUCCEEDED");
			expect(await call(200, "commandsWait", { path })).toMatchObject({
				result: { outcome: "published", snapshot: 1 },
			});
			const second = await call(202, "ingestionsWritingCreate", { body: { source, ref: shop.commits[1] } });

			const { visibility_token: minVisibility } = second;
			const query = { q: "refundedOrders", limit: 1, minVisibility, visibilityTimeout: timeout };
			const now = await call(200, "searchSearch", { query });
			expect(now).toMatchObject({ snapshot: 2, hits: [{ symbol: "refundedOrders" }] });
			const then = await call(200, "searchSearch", { query: { q: "refundedOrders", at: "1" } });
			expect(then.hits.map(({ symbol }: Answer) => symbol)).not.toContain("refundedOrders");
			const docs = await call(200, "searchSearch", { query: { q: "order of a customer", group: "docs" } });
			expect(new Set(docs.hits.map((hit: Answer) => hit.path))).toEqual(new Set(["README.md"]));
			const diff = await call(200, "graphDiff", { query: { source, from: shop.commits[0], to: shop.commits[1] } });
			expect(diff.added.map(({ name }: Answer) => name)).toContain("refundedOrders");

			const changed = await call(202, "groupsWritingUpdate", {
				path: { id: `${source}:docs` },
				body: { include: ["models/**"], retention: { maxVersions: 3 } },
			});
			const shown = await call(200, "groupsShow", {
				path: { id: `${source}:docs` },
				query: { minVisibility: changed.visibility_token, visibilityTimeout: timeout },
			});
			expect(shown).toMatchObject({ state: "indexed", include: ["models/**"], retention: { maxVersions: 3 } });
			const { groups } = await call(200, "groupsList", { query: { source } });
			expect(groups.map(({ name }: Answer) => name)).toEqual(["default", "docs"]);
			await call(422, "groupsWritingDelete", { path: { id: `${source}:default` } });
			const gone = await call(200, "groupsWritingDelete", { path: { id: `${source}:docs` }, query: { timeout } });
			expect(gone.result).toMatchObject({ state: "deleted", reindex: { outcome: "switched", snapshot: 4 } });
			await call(404, "groupsShow", { path: { id: `${source}:docs` } });
			const earlier = await call(200, "searchSearch", { query: { q: "customers", group: "docs", at: "3" } });
			expect(new Set(earlier.hits.map(({ group }: Answer) => group))).toEqual(new Set(["docs"]));
			await call(404, "searchSearch", { query: { q: "customers", group: "docs" } });
			await call(200, "sourcesWritingDelete", { path: { source }, query: { timeout } });
			await call(404, "groupsList", { query: { source } });
		} finally {
			await remove();
			await shop.remove();
		}
	});

	test("is told what is wrong, is bounded, and let go when the server stops", async () => {
		const wrong = follow("subscription { nothing }");
		await expect(wrong.ended).rejects.toMatchObject([{ extensions: { code: "USAGE" } }]);
		const missing = follow(`subscription { ingestionProgress(id: "ing-77") { status } }`);
		await missing.ended;
		expect(missing.values[0]).toMatchObject([{ extensions: { code: "INGESTION_NOT_FOUND" } }]);
		const deep = follow(
			`subscription { ${Array.from({ length: 31 }, (_, at) => `a${at}: eventAppended { id }`).join(" ")} }`,
		);
		await expect(deep.ended).rejects.toMatchObject([{ extensions: { code: "QUERY_TOO_LARGE" } }]);
		const kept = follow("subscription { eventAppended(after: 0) { type } }");
		const many = Array.from({ length: 20 }, () => follow("subscription { eventAppended { id } }"));
		await expect(many.at(-1)?.ended).rejects.toMatchObject([{ extensions: { code: "QUERY_TOO_LARGE" } }]);
		for (const one of many.slice(0, -1)) one.stop();
		await Promise.all(many.slice(0, -1).map(({ ended }) => ended));
		// Those that were let go make room.
		const again = follow("subscription { eventAppended(after: 0) { type } }");
		const folder = await mkdtemp(join(tmpdir(), "lode-folder-"));
		await http.request("mutation($target: String!) { createSource(target: $target) { status } }", { target: folder });
		// Besides what the workers wrote of their configuration.
		const told = ({ values }: { values: readonly unknown[] }) =>
			values.filter((value) => !JSON.stringify(value).includes("ConfigurationChanged")).length;
		await until(() => told(kept) === 5 && told(again) === 5);
		await rm(folder, { recursive: true });

		const refused = (headers: Record<string, string>) =>
			new Promise<number | undefined>((resolve) => {
				const opening = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", { headers });
				opening.on("unexpected-response", (_, { statusCode }) => resolve(statusCode));
				opening.on("open", () => resolve(101));
				opening.on("error", () => {});
			});
		expect(await refused({ origin: "https://evil.example" })).toBe(403);
		expect(await refused({ host: "evil.example" })).toBe(403);
		const left = Promise.allSettled([kept.ended, again.ended]);
		await api.close();
		for (const result of await left) expect(result).toMatchObject({ status: "rejected", reason: { code: 1001 } });
	});

	test("sees one version in each of two requests in flight, when another is published after they began", async () => {
		const FILES = 4;
		const repository = await versionedRepository({ files: FILES, versions: 3 });
		const opened = await openApiServices(lode.config);
		const services = { ...opened.as(LOCAL), close: opened.close };
		/** Requests that took their snapshot and have asked no store yet. */
		const held: (() => void)[] = [];
		let holding = false;
		const { views } = services;
		const gated: ApiServices = {
			...services,
			views: {
				...views,
				async open(options) {
					const view = await views.open(options);
					if (holding) await new Promise<void>((resolve) => held.push(resolve));
					return view;
				},
			},
		};
		const slow = await ApiInstance.open(lode, { services: async () => gated });
		try {
			const { source } = await lode.ingest(repository.path, repository.commits[0]);
			const query = `{ snapshot { number }
				search(text: "marker", first: ${FILES}) { snapshot hits { text commit } }
				sources { nodes { head { commit snapshot } } }
				artifacts(source: "${source}") { nodes { object } }
				entities(kinds: [FILE]) { nodes { props } }
				commits(source: "${source}", first: 1, at: "AT") { nodes { sha } }
				diff(source: "${source}", from: "1") { to } }`;
			const seen = async (at?: string): Promise<Answer> => {
				const text = at === undefined ? query.replace(', at: "AT"', "") : query.replace("AT", at);
				const answer = await slow.data(text);
				const texts = answer.search.hits.map(({ text: one }: Answer) => /version_(\d+)/.exec(one)?.[1]);
				return {
					snapshots: [answer.snapshot.number, answer.search.snapshot, answer.sources.nodes[0].head.snapshot],
					versions: [...new Set(texts)],
					hits: texts.length,
					commits: [answer.sources.nodes[0].head.commit, answer.search.hits[0].commit, answer.diff.to],
					objects: answer.artifacts.nodes.map(({ object }: Answer) => object).sort(),
					inGraph: answer.entities.nodes.map(({ props }: Answer) => props.artifact).sort(),
				};
			};
			const whole = (version: number, objects: unknown) => ({
				snapshots: [version + 1, version + 1, version + 1],
				versions: [String(version)],
				hits: FILES,
				commits: Array(3).fill(repository.commits[version]),
				objects,
				inGraph: objects,
			});
			holding = true;
			const first = seen();
			await until(() => held.length === 1);
			await lode.ingest(repository.path, repository.commits[1]);
			const second = seen();
			await until(() => held.length === 2);
			await lode.ingest(repository.path, repository.commits[2]);
			holding = false;
			for (const letGo of held) letGo();
			const [one, two, now] = [await first, await second, await seen()];
			expect(one).toEqual(whole(0, one.objects));
			expect(two).toEqual(whole(1, two.objects));
			expect(now).toEqual(whole(2, now.objects));
			expect(new Set([one, two, now].flatMap(({ objects }) => objects)).size).toBe(3 * FILES);
			// Asked later about then, it is the same.
			expect(await seen("1")).toEqual(one);
		} finally {
			await slow.close();
			await repository.remove();
		}
	});
});
