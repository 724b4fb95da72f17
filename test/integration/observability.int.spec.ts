import { join } from "node:path";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HttpServer } from "../../src/api/http-server.js";
import { createGateway } from "../../src/api/webhooks/create-gateway.js";
import { Secret } from "../../src/config/secret.js";
import type { Group } from "../../src/domain/group.js";
import { measureInstallation } from "../../src/observability/metrics/installation-state.js";
import { Metrics } from "../../src/observability/metrics/metrics.js";
import { startTracing, type Tracing } from "../../src/observability/tracing/start-tracing.js";
import { tracedCommander } from "../../src/observability/tracing/traced-commander.js";
import { recordConfiguration } from "../../src/services/events/record-configuration.js";
import { dispatchPorts } from "../../src/wiring.js";
import { ApiInstance } from "../support/api-instance.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { LodeInstance } from "../support/lode-instance.js";
import { documentedMetrics, type ExposedMetric, exposedMetrics } from "../support/metrics-page.js";
import { OtlpCollector } from "../support/otlp-collector.js";
import { temporalEnvironment } from "../support/temporal-environment.js";
import { until } from "../support/until.js";
import { deliveries, send } from "../support/webhook-sender.js";

const SECRET = "a-s3cret-of-the-test";
/** What somebody might write into a commit or an error; known to the process as a secret. */
const PLANTED = 'pl4nted "secret" of a store';

/** Real: gateway, API, worker and Temporal, all stores of the embedded profile, spans over HTTP. */
let collector: OtlpCollector;
let tracing: Tracing;
let environment: TestWorkflowEnvironment;
let lode: LodeInstance;
let api: ApiInstance;
let gateway: HttpServer;
let repository: TestRepository;
const metrics = { worker: new Metrics(), api: new Metrics(), gateway: new Metrics() };

beforeAll(async () => {
	new Secret(PLANTED);
	// Spans wait for others no longer than the test does.
	process.env.OTEL_BSP_SCHEDULE_DELAY = "50";
	collector = await OtlpCollector.open();
	tracing = (await startTracing({ traces: { endpoint: collector.endpoint } }, "lode-test")) as Tracing;
	environment = await temporalEnvironment();
	lode = await LodeInstance.open(environment, { metrics: metrics.worker });
	api = await ApiInstance.open(lode, { metrics: metrics.api });
	const config = { ...lode.config, temporal: { ...lode.config.temporal, address: lode.address } };
	gateway = await createGateway({
		host: "127.0.0.1",
		port: 0,
		secrets: { github: new Secret(SECRET) },
		requestsPerMinute: 1_000,
		ledger: { folder: join(lode.home, "webhooks"), maxBytes: 2 ** 20 },
		dispatch: dispatchPorts(config, metrics.gateway),
		log: () => undefined,
		metrics: metrics.gateway,
	});
	repository = await createRepository();
});
afterAll(async () => {
	await gateway?.close();
	await api?.close();
	await lode?.close();
	await repository?.remove();
	await tracing?.close();
	await environment?.teardown();
	await collector?.close();
});

/** The spans of a trace once the named ones are among them; each must hang on another one of it, or on `root`. */
async function spansOf(traceId: string, root: string, names: readonly string[]) {
	const all = await until(
		async () => collector.spans.filter((span) => span.traceId === traceId),
		(spans) => names.every((name) => spans.some((span) => span.name === name)),
	);
	const ids = new Set([root, ...all.map(({ spanId }) => spanId)]);
	expect(all.filter(({ parentSpanId = "none" }) => !ids.has(parentSpanId))).toEqual([]);
	return all;
}

const INGESTION = ["RunWorkflow:ingestCommit", "RunActivity:begin", "RunActivity:mineBatch", "RunActivity:publish"];
const traceId = (digit: string) => digit.repeat(32);
const parentId = (digit: string) => digit.repeat(16);
const traceparent = (digit: string) => `00-${traceId(digit)}-${parentId(digit)}-01`;
const published = (commit: string) =>
	until(
		() => lode.ports.catalog.ingestions({ commit, status: ["published"], limit: 1 }),
		(found) => found.length === 1,
	);
const push = (after: string, delivery: string) =>
	deliveries.github(SECRET, { ref: "refs/heads/main", after, cloneUrl: repository.path, delivery });

describe("a trace", () => {
	test("goes from a command to publish", async () => {
		await repository.commit({ files: { "a.ts": "export const a = 1;\n", "b.md": "# Customers\n\nand orders\n" } });
		const commander = tracedCommander(lode.commander, tracing, traceparent("a"));
		await commander.ingest(repository.path, {});
		await spansOf(traceId("a"), parentId("a"), ["lode ingest", "UpdateWithStartWorkflow:ingest", ...INGESTION]);
	});

	test("goes from a webhook through the ledger, the hint and the workflow to publish", async () => {
		const commit = await repository.commit({ files: { "a.ts": "export const a = 2;\n" } });
		const delivery = push(commit, "d1");
		const answer = await send(gateway.url, {
			...delivery,
			headers: { ...delivery.headers, traceparent: traceparent("b") },
		});
		expect(answer.body.status).toBe("accepted");
		await published(commit);
		const spans = await spansOf(traceId("b"), parentId("b"), [
			"webhook github",
			"dispatch webhooks",
			"SignalWithStartWorkflow:followSource",
			"RunActivity:pendingCommits",
			...INGESTION,
		]);
		const workflow = spans.find(({ name }) => name === "RunWorkflow:ingestCommit");
		const publish = spans.find(({ name }) => name === "RunActivity:publish");
		expect(publish?.parentSpanId).toBe(workflow?.spanId);
	});

	test("goes from a request to publish, and a webhook without one begins its own", async () => {
		const commit = await repository.commit({ files: { "a.ts": "export const a = 3;\n" } });
		const response = await fetch(`${api.url}/api/v1/ingestions`, {
			method: "POST",
			headers: { "content-type": "application/json", traceparent: traceparent("c") },
			body: JSON.stringify({ target: repository.path }),
		});
		expect(response.status).toBe(202);
		await published(commit);
		await spansOf(traceId("c"), parentId("c"), [
			"POST /api/v1/ingestions",
			"UpdateWithStartWorkflow:ingest",
			...INGESTION,
		]);

		const next = await repository.commit({ files: { "a.ts": "export const a = 4;\n" } });
		await send(gateway.url, push(next, "d2"));
		await published(next);
		const known = new Set(["a", "b", "c"].map(traceId));
		const own = await until(
			async () => collector.spans.filter(({ name, traceId: id }) => name === "webhook github" && !known.has(id)),
			(spans) => spans.length > 0,
		);
		expect(own).toHaveLength(1);
		await spansOf(own[0]?.traceId as string, "none", INGESTION);
	});

	test("is not begun by who does not know the secret", async () => {
		const { headers, ...delivery } = deliveries.github("another", {
			ref: "refs/heads/main",
			after: "1".repeat(40),
			cloneUrl: repository.path,
			delivery: "d3",
		});
		const answer = await send(gateway.url, { ...delivery, headers: { ...headers, traceparent: traceparent("d") } });
		expect(answer.status).toBe(401);
		expect(collector.spans.filter((span) => span.traceId === traceId("d"))).toEqual([]);
	});

	test("holds no secret", async () => {
		const commander = tracedCommander(lode.commander, tracing, traceparent("e"));
		const target = `https://user:hunter2hunter2@127.0.0.1:1/${encodeURIComponent(PLANTED)}.git`;
		await expect(commander.ingest(target, {})).rejects.toThrow();
		await expect(commander.cancel(PLANTED)).rejects.toThrow();
		await until(
			async () => collector.spans.filter((span) => span.traceId === traceId("e")),
			(spans) => spans.length === 2,
		);
		const sent = collector.bodies.join("\n");
		expect(sent).toContain("[secret]");
		expect(sent).not.toMatch(/hunter2|pl4nted|a-s3cret/);
	});
});

describe("metrics", () => {
	const pages = async () => ({
		worker: exposedMetrics((await metrics.worker.page()).body),
		api: exposedMetrics(await (await fetch(`${api.url}/metrics`)).text()),
		gateway: exposedMetrics((await metrics.gateway.page()).body),
	});

	test("move with what they measure", async () => {
		const before = await (await fetch(`${api.url}/metrics`)).text();
		expect(before).toContain("lode_store_records");
		const search = (text: string, more: Record<string, string> = {}) =>
			fetch(`${api.url}/api/v1/search?${new URLSearchParams({ q: text, ...more })}`);
		expect((await search("customers and orders")).status).toBe(200);
		expect((await search("x", { at: "9999" })).status).toBeGreaterThanOrEqual(400);
		const { data } = await api.graphql("{ sources { edges { node { id } } } }");
		expect(data.sources.edges.length).toBeGreaterThan(0);
		await send(gateway.url, push("1".repeat(40), "d1"));
		await send(gateway.url, { ...push("1".repeat(40), "d9"), body: "{}" });
		await send(
			gateway.url,
			deliveries.github(SECRET, {
				ref: "refs/heads/x",
				after: "2".repeat(40),
				cloneUrl: "https://h/x.git",
				delivery: "d4",
			}),
		);
		await until(
			async () => (await pages()).gateway,
			(found) => total(found, "lode_webhook_dispatches_total", { outcome: "parked" }) === 1,
		);
		const { worker, api: ofApi, gateway: ofGateway } = await pages();

		// Ingestions.
		expect(total(worker, "lode_ingestions_total", { outcome: "published" })).toBe(4);
		expect(total(worker, "lode_ingestion_seconds_count")).toBe(4);
		expect(total(worker, "lode_ingested_files_total", { change: "added" })).toBe(2);
		expect(total(worker, "lode_ingested_files_total", { change: "changed" })).toBe(3);
		expect(total(worker, "lode_ingested_chunks_total", { embedding: "made" })).toBeGreaterThan(0);
		for (const stage of ["begin", "prepare", "diff", "mine", "embed", "stage", "link", "verify", "publish"])
			expect([stage, total(worker, "lode_ingestion_stage_seconds_count", { stage, outcome: "ok" })]).toEqual([
				stage,
				expect.toSatisfy((count: number) => count >= 4),
			]);
		// A new source waits for a worker; small commits that follow wait in no queue.
		expect(total(worker, "lode_activity_queue_seconds_count", { stage: "prepare" })).toBeGreaterThan(0);
		expect(total(worker, "lode_activity_queue_seconds_count", { stage: "prepare" })).toBeLessThan(4);
		expect(total(worker, "lode_activity_queue_seconds_count", { stage: "mine" })).toBeLessThan(4);
		// Stores.
		for (const store of ["catalog", "events", "graph", "vectors", "artifacts", "embeddings"]) {
			expect([store, total(worker, "lode_store_operation_seconds_count", { store })]).toEqual([
				store,
				expect.toSatisfy((count: number) => count > 0),
			]);
		}
		for (const store of ["catalog", "graph", "vectors", "artifacts", "embeddings"])
			expect(total(worker, "lode_store_staged_records_total", { store })).toBeGreaterThan(0);
		expect(total(worker, "lode_store_transferred_bytes_total", { direction: "in" })).toBeGreaterThan(0);
		expect(total(worker, "lode_store_transferred_bytes_total", { direction: "out" })).toBeGreaterThan(0);
		expect(total(worker, "lode_embedding_texts_total", { provider: "lexical" })).toBeGreaterThan(0);
		expect(total(worker, "lode_embedding_seconds_count", { provider: "lexical" })).toBeGreaterThan(0);
		expect(total(ofApi, "lode_store_errors_total", { store: "catalog", code: "SNAPSHOT_NOT_FOUND" })).toBe(1);
		// Searches and requests.
		expect(total(ofApi, "lode_search_seconds_count", { outcome: "answered" })).toBe(1);
		expect(total(ofApi, "lode_search_vector_seconds_count")).toBe(1);
		expect(total(ofApi, "lode_search_hits_total")).toBeGreaterThan(0);
		expect(total(ofApi, "lode_http_request_seconds_count", { route: "/api/v1/search", status: "200" })).toBe(1);
		expect(total(ofApi, "lode_http_request_seconds_count", { route: "/graphql", method: "POST" })).toBe(1);
		expect(total(ofApi, "lode_http_connections")).toBeGreaterThan(0);
		// The installation.
		expect(total(ofApi, "lode_sources")).toBe(1);
		expect(total(ofApi, "lode_snapshot_number")).toBe(4);
		expect(total(ofApi, "lode_open_ingestions")).toBe(0);
		for (const store of ["catalog", "graph", "vectors", "artifacts", "events"])
			expect(total(ofApi, "lode_store_records", { store })).toBeGreaterThan(0);
		for (const store of ["catalog", "graph", "vectors", "embeddings"])
			expect(total(ofApi, "lode_store_bytes", { store })).toBeGreaterThan(0);
		expect(total(ofApi, "lode_archive_lag_events")).toBeGreaterThan(0);
		// Built after the first search.
		await expect.poll(async () => total((await pages()).api, "lode_index_memory_bytes")).toBeGreaterThan(0);
		expect(total(ofApi, "process_resident_memory_bytes")).toBeGreaterThan(0);
		// Webhooks.
		for (const [outcome, count] of Object.entries({ accepted: 3, repeated: 1, refused: 2 }))
			expect([outcome, total(ofGateway, "lode_webhook_deliveries_total", { outcome })]).toEqual([outcome, count]);
		expect(total(ofGateway, "lode_webhook_dispatches_total", { outcome: "told" })).toBe(2);
		expect(total(ofGateway, "lode_event_processing_seconds_count", { outcome: "told" })).toBe(2);
		expect(total(ofGateway, "lode_ledger_receipts", { state: "parked" })).toBe(1);
		expect(total(ofGateway, "lode_ledger_bytes")).toBeGreaterThan(0);
		expect(total(ofGateway, "lode_dispatch_failing")).toBe(0);
	});

	test("tell of open WebSockets, and of changes of groups and of the configuration", async () => {
		const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
		await new Promise((resolve) => socket.addEventListener("open", resolve));
		expect(total((await pages()).api, "lode_websocket_connections")).toBe(1);
		socket.close();
		await until(pages, (found) => total(found.api, "lode_websocket_connections") === 0);

		const own = new Metrics({ process: false });
		measureInstallation(lode.ports, async () => ({}), own, { freshMs: 0 });
		const changes = async () => {
			const page = exposedMetrics((await own.page()).body);
			return ["source", "group", "configuration"].map((subject) => total(page, "lode_changes_total", { subject }));
		};
		expect(await changes()).toEqual([0, 0, 0]);
		const [group] = await lode.ports.catalog.groups((await lode.ports.catalog.sources())[0]?.id as string);
		await lode.ports.catalog.putGroup({ ...(group as Group), name: "other" });
		await recordConfiguration(lode.ports.events, { LODE_X: "1" });
		expect(await changes()).toEqual([0, 1, 1]);
		expect(await changes()).toEqual([0, 1, 1]);
	});

	test("are all explained, with their types and labels", async () => {
		const documented = await documentedMetrics();
		for (const [component, exposed] of Object.entries(await pages())) {
			for (const { name, type, labels } of exposed.values()) {
				const said = documented.get(name);
				expect([component, name, said?.type]).toEqual([component, name, type]);
				expect([component, name, [...labels].filter((label) => !said?.labels.includes(label))]).toEqual([
					component,
					name,
					[],
				]);
			}
		}
	});

	test("name no source, no path, no commit, and no secret", async () => {
		const [source] = await lode.ports.catalog.sources();
		const commits = await lode.ports.catalog.ingestions({ limit: 10 });
		// Requests that name them.
		for (const path of [`/api/v1/sources/${source?.id}`, "/a.ts", `/graphql?a.ts=${commits[0]?.commit}`])
			await (await fetch(api.url + path)).text();
		await (await fetch(`${gateway.url}/webhooks/${source?.id}`, { method: "POST" })).text();
		for (const { body } of await Promise.all(Object.values(metrics).map((one) => one.page()))) {
			for (const told of [
				source?.id,
				source?.address,
				lode.home,
				"a.ts",
				SECRET,
				...commits.map(({ commit }) => commit),
			])
				expect(body).not.toContain(told);
		}
	});
});

test("the trace of a removal ends with it, and a workflow that never ends is no span even when it does", async () => {
	const [source] = await lode.ports.catalog.sources();
	await tracedCommander(lode.commander, tracing, traceparent("f")).remove(source?.id as string);
	await spansOf(traceId("f"), parentId("f"), [
		"lode remove",
		"StartWorkflow:removeSource",
		"RunActivity:markRemoved",
		"RunActivity:dropSource",
		"RunWorkflow:removeSource",
	]);
	await lode.follows(source?.id as string).result();
	await tracing.flush();
	expect(collector.spans.filter(({ name }) => name === "RunWorkflow:followSource")).toEqual([]);
});

function total(
	exposed: ReadonlyMap<string, ExposedMetric>,
	sample: string,
	labels: Record<string, string> = {},
): number {
	let sum = 0;
	for (const { samples } of exposed.values()) {
		for (const one of samples) {
			if (one.name !== sample) continue;
			if (Object.entries(labels).every(([label, value]) => one.labels[label] === value)) sum += one.value;
		}
	}
	return sum;
}
