import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ApiInstance } from "../support/api-instance.js";
import { gatedEmbeddings } from "../support/gated-embeddings.js";
import { LodeInstance } from "../support/lode-instance.js";
import { createShop, type Shop } from "../support/shop-repository.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/** Real: the API over a whole Lode; Temporal, a worker, all stores of the embedded profile. */
let environment: TestWorkflowEnvironment;
let lode: LodeInstance;
let shop: Shop;
const open: ApiInstance[] = [];
beforeAll(async () => {
	environment = await temporalEnvironment();
	lode = await LodeInstance.open(environment);
	shop = await createShop();
});
afterEach(async () => {
	for (const api of open.splice(0)) await api.close();
});
afterAll(async () => {
	await lode?.close();
	await shop?.remove();
	await environment?.teardown();
});

async function start(): Promise<ApiInstance> {
	const api = await ApiInstance.open(lode);
	open.push(api);
	return api;
}

async function send(
	api: ApiInstance,
	method: string,
	path: string,
	body?: unknown,
	headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Answer }> {
	const response = await fetch(`${api.url}/api/v1${path}`, {
		method,
		headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	return { status: response.status, headers: response.headers, body: await response.json() };
}

describe("REST writes", () => {
	test("an ingestion: accepted, followed to its end, visible to whoever waits for it, and started once", async () => {
		const api = await start();
		const key = { "idempotency-key": "first-ingestion" };
		const request = { target: shop.path, ref: shop.commits[0] };
		const accepted = await send(api, "POST", "/ingestions", request, key);
		expect(accepted.status).toBe(202);
		expect(accepted.body).toMatchObject({ command_id: expect.stringMatching(/^cmd-/), status: "PENDING" });
		const { command_id: id, visibility_token: token } = accepted.body;
		expect(accepted.headers.get("location")).toBe(`/api/v1/commands/${id}`);

		const seen = await send(api, "GET", `/search?q=orders&minVisibility=${token}&visibilityTimeout=60`);
		expect(seen).toMatchObject({ status: 200, body: { snapshot: 1 } });
		const done = await send(api, "GET", `/commands/${id}/wait?timeout=60`);
		expect(done.body).toMatchObject({
			status: "SUCCEEDED",
			kind: "ingest",
			commit: shop.commits[0],
			ingestion: "ing-1",
			result: { outcome: "published", snapshot: 1 },
			visibility_token: "snapshot:1",
			failure: null,
		});
		expect(done.body.history.map(({ type }: Answer) => type)).toEqual([
			"CommandAccepted",
			"CommandStarted",
			"IngestionStarted",
			"IngestionPublished",
			"CommandSucceeded",
		]);
		expect((await send(api, "GET", `/commands/${id}`)).body).toEqual(done.body);

		const again = await send(api, "POST", "/ingestions", request, key);
		expect(again.body).toEqual(accepted.body);
		expect(again.headers.get("idempotency-replayed")).toBe("true");
		// The same after a restart: what was answered lies in the store.
		const restarted = await start();
		expect((await send(restarted, "POST", "/ingestions", request, key)).body).toEqual(accepted.body);
		expect((await send(restarted, "POST", "/ingestions?timeout=5", request, key)).body).toEqual(done.body);
		const other = await send(restarted, "POST", "/ingestions", { ...request, ref: shop.commits[1] }, key);
		expect(other).toMatchObject({ status: 422, body: { code: "IDEMPOTENCY_KEY_REUSED" } });
		expect((await lode.ports.catalog.ingestions({ limit: 10 })).map(({ id: one }) => one)).toEqual(["ing-1"]);
	});

	test("ten equal requests at once, on two servers, start one ingestion", async () => {
		const [one, two] = [await start(), await start()];
		const before = (await lode.ports.catalog.ingestions({ limit: 10 })).length;
		const answers = await Promise.all(
			Array.from({ length: 10 }, (_, at) =>
				send(
					at % 2 === 0 ? one : two,
					"POST",
					"/ingestions?timeout=60",
					{ target: shop.path, ref: shop.commits[1] },
					{ "idempotency-key": "at-once" },
				),
			),
		);
		expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
		expect(new Set(answers.map(({ body }) => body.command_id)).size).toBe(1);
		expect(new Set(answers.map(({ body }) => body.result.ingestion)).size).toBe(1);
		expect((await lode.ports.catalog.ingestions({ limit: 10 })).length).toBe(before + 1);
	});

	test("sources are added at once, and deleted out of sight", async () => {
		const api = await start();
		const added = await send(
			api,
			"POST",
			"/sources",
			{ target: shop.path, policy: "head" },
			{ "idempotency-key": "add" },
		);
		expect(added).toMatchObject({ status: 201, body: { status: "SUCCEEDED", result: { source: { kind: "git" } } } });
		expect(
			(await send(api, "POST", "/sources", { target: shop.path, policy: "head" }, { "idempotency-key": "add" })).body,
		).toEqual(added.body);
		const { id } = added.body.result.source;
		expect((await send(api, "GET", `/sources/${id}/groups`)).body.groups).toMatchObject([
			{ name: "default", source: id },
		]);

		const other = await createShop();
		try {
			const elsewhere = await send(api, "POST", "/ingestions?timeout=60", { target: other.path });
			const source = elsewhere.body.source;
			const deleted = await send(api, "DELETE", `/sources/${source}?timeout=60`, undefined, {
				"idempotency-key": "gone",
			});
			expect(deleted).toMatchObject({ status: 200, body: { status: "SUCCEEDED", result: { source } } });
			const { visibility_token: token } = deleted.body;
			const { sources } = (await send(api, "GET", `/sources?minVisibility=${token}`)).body;
			expect(sources.map((one: Answer) => one.id)).not.toContain(source);
			// A repeat is about the first one, though there is no such source any more; a new request is not.
			expect(
				(await send(api, "DELETE", `/sources/${source}?timeout=60`, undefined, { "idempotency-key": "gone" })).body,
			).toEqual(deleted.body);
			expect((await send(api, "DELETE", `/sources/${source}`)).body).toMatchObject({
				status: 404,
				code: "SOURCE_NOT_FOUND",
			});
		} finally {
			await other.remove();
		}
	});

	test("verify, collect garbage, artifacts, events and snapshots", async () => {
		const api = await start();
		const verified = await send(api, "POST", "/verifications?timeout=60", {});
		expect(verified).toMatchObject({ status: 200, body: { result: { ok: true, problems: 0 } } });
		expect((await send(api, "POST", "/garbage-collections?timeout=60")).body).toMatchObject({ status: "SUCCEEDED" });

		const { snapshots, next } = (await send(api, "GET", "/snapshots?first=1")).body;
		expect(snapshots).toHaveLength(1);
		const { source } = snapshots[0];
		const older = (await send(api, "GET", `/snapshots?first=10&after=${next}`)).body;
		expect(older.snapshots.at(-1)).toMatchObject({ number: 1 });
		const listed: Answer[] = [];
		for (let after = ""; ; ) {
			const page = (await send(api, "GET", `/ingestions?source=${source}&status=published&first=1${after}`)).body;
			listed.push(...page.ingestions);
			if (page.next === null) break;
			after = `&after=${page.next}`;
		}
		const all = (await send(api, "GET", "/ingestions")).body;
		expect(all).not.toHaveProperty("next");
		expect(listed).toEqual(all.ingestions.filter((one: Answer) => one.source === source && one.status === "published"));
		expect(listed.length).toBeGreaterThan(0);
		for (const wrong of ["status=done", "first=0", "after=x"]) {
			expect(await send(api, "GET", `/ingestions?${wrong}`)).toMatchObject({ status: 400, body: { code: "USAGE" } });
		}
		const published = (await send(api, "GET", "/events?type=IngestionPublished")).body.events;
		// Events outlive the source that was deleted.
		expect(published.length).toBe(2 + older.snapshots.length);

		const { artifacts } = (
			await send(api, "GET", `/sources/${older.snapshots.at(-1).source}/artifacts?folder=seeds&at=1`)
		).body;
		expect(artifacts.map(({ path }: Answer) => path)).toEqual(["seeds/raw_orders.csv", "seeds/raw_payments.csv"]);
		const bytes = await fetch(`${api.url}${artifacts[1].download}`);
		expect([bytes.status, bytes.headers.get("content-disposition"), bytes.headers.get("etag")]).toEqual([
			200,
			"attachment; filename*=UTF-8''raw_payments.csv",
			`"${artifacts[1].object}"`,
		]);
		expect(await bytes.text()).toBe("id,order_id,amount\n1,1,1000\n");
		for (const path of ["../../etc/passwd", "/etc/passwd", "seeds/../seeds/raw_orders.csv"]) {
			const outside = await send(api, "GET", `/sources/${source}/artifacts/content?path=${encodeURIComponent(path)}`);
			expect(outside).toMatchObject({ status: 404, body: { code: "ARTIFACT_NOT_FOUND" } });
		}
	});

	test("a time-out ends nothing; a cancelled ingestion can be tried again", async () => {
		const gate = await gatedEmbeddings();
		// Its own repository: workflow ids are business keys, and this is another installation on the same Temporal server.
		const other = await createShop();
		const slow = await LodeInstance.open(environment, {
			env: { LODE_EMBEDDING_PROVIDER: "openai", LODE_EMBEDDING_BASE_URL: gate.url, LODE_EMBEDDING_MODEL: "gated" },
		});
		const api = await ApiInstance.open(slow);
		open.push(api);
		try {
			const late = await send(
				api,
				"POST",
				"/ingestions?timeout=1",
				{ target: other.path },
				{ "idempotency-key": "slow" },
			);
			expect(late).toMatchObject({
				status: 408,
				body: { code: "TIMEOUT", command_id: expect.any(String), next: expect.stringContaining("/wait") },
			});
			const { command_id: id } = late.body;
			const running = await until(
				api,
				id,
				({ status, progress }) => status === "RUNNING" && progress?.stage === "files",
			);
			expect(running.history.map(({ type }: Answer) => type)).toContain("IngestionStarted");
			expect(
				(await send(api, "GET", `/search?q=a&minVisibility=command:${id}&visibilityTimeout=0`)).body,
			).toMatchObject({ status: 408 });

			const cancelled = await send(api, "POST", `/ingestions/${running.ingestion}/cancel?timeout=60`);
			expect(cancelled).toMatchObject({ status: 200, body: { result: { status: "cancelled" } } });
			const ended = await send(api, "GET", `/commands/${id}/wait?timeout=60`);
			expect(ended).toMatchObject({ status: 409, body: { code: "CANCELLED", command_id: id } });
			expect((await send(api, "GET", `/commands/${id}`)).body).toMatchObject({
				status: "CANCELLED",
				failure: { code: "CANCELLED" },
			});

			gate.open();
			const retried = await send(api, "POST", `/ingestions/${running.ingestion}/retry?timeout=60`);
			expect(retried).toMatchObject({ status: 200, body: { result: { outcome: "published", snapshot: 1 } } });
		} finally {
			gate.open();
			await slow.close();
			await other.remove();
			await gate.close();
		}
	});

	test("says what is wrong, and refuses what another place's page has a browser send", async () => {
		const api = await start();
		const problem = async (...request: [string, string, unknown?, Record<string, string>?]) => {
			const { status, body, headers } = await send(api, ...request);
			expect(headers.get("content-type")).toContain("application/problem+json");
			return [status, body.code];
		};
		expect(await problem("POST", "/ingestions", {})).toEqual([400, "USAGE"]);
		expect(await problem("POST", "/ingestions", { target: shop.path, source: "a" })).toEqual([400, "USAGE"]);
		expect(await problem("POST", "/ingestions", { target: shop.path, more: 1 })).toEqual([400, "USAGE"]);
		expect(await problem("POST", "/ingestions?timeout=soon", { target: shop.path })).toEqual([400, "USAGE"]);
		expect(await problem("POST", "/ingestions", { target: "/nowhere/at/all" })).toEqual([404, "SOURCE_NOT_FOUND"]);
		expect(await problem("POST", "/ingestions", { target: "https://user:s3cret@git.example/x.git" })).toEqual([
			400,
			"CREDENTIALS_IN_URL",
		]);
		expect(await problem("POST", "/ingestions", { target: shop.path }, { "idempotency-key": "with a blank" })).toEqual([
			400,
			"USAGE",
		]);
		expect(await problem("POST", "/ingestions/ing-1/retry")).toEqual([400, "USAGE"]);
		expect(await problem("POST", "/ingestions/ing-99/cancel")).toEqual([404, "INGESTION_NOT_FOUND"]);
		expect(await problem("GET", "/commands/cmd-nothing")).toEqual([404, "COMMAND_NOT_FOUND"]);
		expect(await problem("GET", "/search?q=a&minVisibility=nonsense")).toEqual([400, "USAGE"]);
		expect(await problem("GET", "/search?q=a&minVisibility=snapshot:99&visibilityTimeout=0")).toEqual([408, "TIMEOUT"]);
		expect(await problem("POST", "/garbage-collections", undefined, { origin: "https://evil.example" })).toEqual([
			403,
			"USAGE",
		]);
		expect(await problem("POST", "/garbage-collections", undefined, { "sec-fetch-site": "cross-site" })).toEqual([
			403,
			"USAGE",
		]);
		expect(await problem("GET", `/graph?entity=${"a".repeat(20_000)}`)).toEqual([431, "USAGE"]);
		const all = JSON.stringify(await lode.ports.events.readAll(0, 10_000)) + JSON.stringify(api.log);
		expect(all).not.toContain("s3cret");
		expect((await fetch(`${api.url}/api/v1/docs`)).status).toBe(200);
	});
});

async function until(api: ApiInstance, id: string, isThere: (command: Answer) => boolean): Promise<Answer> {
	for (;;) {
		const { body } = await send(api, "GET", `/commands/${id}`);
		if (isThere(body)) return body;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
