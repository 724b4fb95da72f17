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
import { createShop } from "../support/shop-repository.js";
import { temporalEnvironment } from "../support/temporal-environment.js";
import { versionedRepository } from "../support/versioned-repository.js";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/** Real: a whole Lode, and clients that others wrote: graphql-request, and graphql-ws over ws. */
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
	test("runs a whole session: ingest, watch, search, travel in time, diff, delete", async () => {
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

			const { ingest: second } = await ingest(shop.commits[1], "two");
			const seen: Answer = await http.request(
				`query($token: String) { search(text: "refundedOrders", minVisibility: $token, visibilityTimeout: 60) { snapshot hits { symbol source } } }`,
				{ token: second.visibilityToken },
			);
			expect(seen.search.snapshot).toBe(2);
			expect(seen.search.hits[0].symbol).toBe("refundedOrders");
			const [{ source }] = seen.search.hits;
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
			expect(command.command).toMatchObject({ status: "SUCCEEDED", result: { outcome: "published", snapshot: 2 } });

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

			await until(() => published.values.length === 2 && events.values.length === 5);
			expect(published.values.map(({ snapshotPublished: { number, commit } }: Answer) => [number, commit])).toEqual([
				[1, shop.commits[0]],
				[2, shop.commits[1]],
			]);
			expect(events.values.map(({ eventAppended: { type } }: Answer) => type)).toEqual([
				"CommandAccepted",
				"IngestionPublished",
				"CommandAccepted",
				"IngestionPublished",
				"CommandAccepted",
			]);
			published.stop();
			await published.ended;
		} finally {
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
