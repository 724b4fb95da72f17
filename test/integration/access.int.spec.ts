import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { parseGrants, type Role } from "../../src/domain/roles.js";
import { type McpHttp, serveMcpHttp } from "../../src/mcp/serve-http.js";
import { Metrics } from "../../src/observability/metrics/metrics.js";
import type { OpenedServices } from "../../src/services/lode.js";
import { OPERATIONS, type Operation } from "../../src/services/security/operations.js";
import { LOCAL, mayEverywhere, maySomewhere, type Principal, roleOn } from "../../src/services/security/principal.js";
import { openApiServices } from "../../src/wiring.js";
import { ApiInstance } from "../support/api-instance.js";
import { LodeInstance } from "../support/lode-instance.js";
import { hasServerProfile, serverProfile } from "../support/server-profile.js";
import { temporalEnvironment } from "../support/temporal-environment.js";
import { type MarkedSource, twoSources } from "../support/two-sources.js";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/**
 * Real: the API and MCP over HTTP, keys, all stores with two sources in them: those of the embedded profile, and what a viewer of one source sees
 * also on those of the servers. Temporal is away while they are asked, so that what is permitted changes nothing.
 */
let environment: TestWorkflowEnvironment;
let lode: LodeInstance;
let sources: Awaited<ReturnType<typeof twoSources>>;
let ours: MarkedSource;
let other: MarkedSource;
let api: ApiInstance;
let opened: OpenedServices;
let mcp: McpHttp;
let command: string;
/** What each of them may do, and the key that says so. */
const actors: { name: string; roles: string[]; secret: string; principal: Principal }[] = [];
const AWAY = "127.0.0.1:1";

beforeAll(async () => {
	environment = await temporalEnvironment();
	await open({});
});
afterAll(async () => {
	await close();
	await environment?.teardown();
});

async function open(env: Record<string, string>): Promise<void> {
	lode = await LodeInstance.open(environment, { env: { LODE_REMOTE_ALLOW: "127.0.0.1", ...env } });
	sources = await twoSources(lode);
	({ ours, other } = sources);
	const config = { ...lode.config, temporal: { ...lode.config.temporal, address: AWAY } };
	api = await ApiInstance.open(lode, { config, metrics: new Metrics({ process: false }) });
	const metrics = new Metrics({ process: false });
	opened = await openApiServices(config, metrics);
	const report = () => undefined;
	mcp = await serveMcpHttp({ opened, requestsPerMinute: 100_000, version: "1", report, port: 0, metrics });
	const local = opened.as(LOCAL);
	await expect(local.commands.submit({ kind: "verify", source: ours.id }, "a-command")).rejects.toMatchObject({
		code: "TEMPORAL_UNAVAILABLE",
	});
	const [accepted] = await lode.ports.events.latest(1, { types: ["CommandAccepted"] });
	command = accepted?.metadata.correlationId as string;
	for (const [name, ...roles] of [
		["a viewer of it", `viewer:${ours.id}`],
		["an editor of it", `editor:${ours.id}`],
		["an admin of it", `admin:${ours.id}`],
		["an admin of another one", `admin:${other.id}`],
		["a viewer of it who edits another one", `viewer:${ours.id}`, `editor:${other.id}`],
		["a viewer of all", "viewer"],
		["an editor of all", "editor"],
		["an admin of all", "admin"],
	] as const) {
		const grants = parseGrants(roles);
		const { secret } = await local.keys.create({ name, grants });
		actors.push({ name, roles: [...roles], secret: secret as string, principal: { id: name, kind: "key", grants } });
	}
}

async function close(): Promise<void> {
	await mcp?.close();
	await opened?.close();
	await api?.close();
	await lode?.close();
	await sources?.remove();
	actors.length = 0;
}

/** What came of asking: `done`, or the code of the refusal. What is permitted and cannot be done without Temporal is done here. */
type Outcome = "done" | "UNAUTHENTICATED" | "FORBIDDEN" | "NOT_FOUND";

function outcomeOf(code: string | undefined): Outcome {
	if (code === undefined || code === "TEMPORAL_UNAVAILABLE" || code === "TIMEOUT" || code === "USAGE") return "done";
	if (code === "UNAUTHENTICATED" || code === "FORBIDDEN") return code;
	if (/^(SOURCE|INGESTION|COMMAND)_NOT_FOUND$/.test(code)) return "NOT_FOUND";
	// Each is what a permitted request may meet: nothing listens where the new source is said to lie, no key and no group has the id, one has the name.
	if (code === "GROUP_NOT_FOUND" || code === "GROUP_EXISTS") return "done";
	if (code === "SOURCE_UNAVAILABLE" || code === "REPOSITORY_UNREADABLE" || code === "KEY_NOT_FOUND") return "done";
	throw new Error(`unexpected: ${code}`);
}

/** What the table says: the one place that both the code and this test read. */
function expectedOf({ least, on }: Operation, principal: Principal | undefined): Outcome {
	if (least === "anyone") return "done";
	if (principal === undefined) return "UNAUTHENTICATED";
	if (on === "all") return mayEverywhere(principal, least) ? "done" : "FORBIDDEN";
	if (!maySomewhere(principal, least)) return "FORBIDDEN";
	if (on === "visible") return "done";
	const role: Role | undefined = roleOn(principal, ours.id);
	if (role === undefined) return "NOT_FOUND";
	return mayNamed(role, least) ? "done" : "FORBIDDEN";
}
const mayNamed = (role: Role, least: Role): boolean =>
	["viewer", "editor", "admin"].indexOf(role) >= ["viewer", "editor", "admin"].indexOf(least);

const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { "content-type": "application/json" } });
const NEW_SOURCE = { target: "http://127.0.0.1:1/new.git" };
const NEW_KEY = { name: "made by a test", roles: ["viewer"] };

/** A request to each route. */
const REST: Readonly<Record<string, () => [path: string, init?: RequestInit]>> = {
	"GET /health/live": () => ["/health/live"],
	"GET /health/ready": () => ["/health/ready"],
	"GET /metrics": () => ["/metrics"],
	"GET /api/v1/docs": () => ["/api/v1/docs"],
	"GET /api/v1/docs/*": () => ["/api/v1/docs/index.html"],
	"GET /api/v1/openapi.json": () => ["/api/v1/openapi.json"],
	"GET /api/v1/openapi.yaml": () => ["/api/v1/openapi.yaml"],
	"GET /graphql": () => [`/graphql?query=${encodeURIComponent("{ __typename }")}`],
	"POST /graphql": () => ["/graphql", { method: "POST", ...json({ query: "{ __typename }" }) }],
	"GET /api/v1/sources": () => ["/api/v1/sources"],
	"GET /api/v1/sources/:source": () => [`/api/v1/sources/${ours.id}`],
	"GET /api/v1/groups": () => ["/api/v1/groups"],
	"GET /api/v1/groups/:id": () => [`/api/v1/groups/${ours.id}:default`],
	"GET /api/v1/sources/:source/groups": () => [`/api/v1/sources/${ours.id}/groups`],
	"GET /api/v1/sources/:source/artifacts": () => [`/api/v1/sources/${ours.id}/artifacts`],
	"GET /api/v1/sources/:source/artifacts/content": () => [
		`/api/v1/sources/${ours.id}/artifacts/content?path=package.json`,
	],
	"GET /api/v1/ingestions": () => ["/api/v1/ingestions"],
	"GET /api/v1/snapshots": () => ["/api/v1/snapshots"],
	"GET /api/v1/ingestions/:id": () => [`/api/v1/ingestions/${ours.ingestion}`],
	"GET /api/v1/search": () => ["/api/v1/search?q=shared"],
	"GET /api/v1/graph": () => ["/api/v1/graph?entity=shared"],
	"GET /api/v1/diff": () => [`/api/v1/diff?source=${ours.id}&from=${ours.commit}&to=${ours.commit}`],
	"GET /api/v1/events": () => ["/api/v1/events"],
	"GET /api/v1/commands/:id": () => [`/api/v1/commands/${command}`],
	"GET /api/v1/commands/:id/wait": () => [`/api/v1/commands/${command}/wait?timeout=0`],
	"POST /api/v1/ingestions": () => ["/api/v1/ingestions", { method: "POST", ...json({ source: ours.id }) }],
	"POST /api/v1/ingestions/:id/retry": () => [`/api/v1/ingestions/${ours.ingestion}/retry`, { method: "POST" }],
	"POST /api/v1/ingestions/:id/cancel": () => [`/api/v1/ingestions/${ours.ingestion}/cancel`, { method: "POST" }],
	"POST /api/v1/verifications": () => ["/api/v1/verifications", { method: "POST", ...json({ source: ours.id }) }],
	"POST /api/v1/groups": () => ["/api/v1/groups", { method: "POST", ...json({ source: ours.id, name: "default" }) }],
	"PUT /api/v1/groups/:id": () => [
		`/api/v1/groups/${ours.id}:nowhere`,
		{ method: "PUT", ...json({ include: ["**"] }) },
	],
	"DELETE /api/v1/groups/:id": () => [`/api/v1/groups/${ours.id}:nowhere`, { method: "DELETE" }],
	"POST /api/v1/sources": () => ["/api/v1/sources", { method: "POST", ...json(NEW_SOURCE) }],
	"DELETE /api/v1/sources/:source": () => [`/api/v1/sources/${ours.id}`, { method: "DELETE" }],
	"POST /api/v1/garbage-collections": () => ["/api/v1/garbage-collections", { method: "POST" }],
	"GET /api/v1/keys": () => ["/api/v1/keys"],
	"POST /api/v1/keys": () => ["/api/v1/keys", { method: "POST", ...json(NEW_KEY) }],
	"DELETE /api/v1/keys/:id": () => ["/api/v1/keys/0123456789ab", { method: "DELETE" }],
};
/** Without the explorer, its pages are nowhere. */
const NOT_SERVED = new Set(["GET /graphql/explorer", "GET /graphql/explorer/*"]);

/** An operation with each field. */
const GRAPHQL: Readonly<Record<string, () => string>> = {
	"Query.sources": () => "{ sources { nodes { id } } }",
	"Query.source": () => `{ source(source: "${ours.id}") { id } }`,
	"Query.groups": () => `{ groups(source: "${ours.id}") { name } }`,
	"Query.group": () => `{ group(id: "${ours.id}:default") { name } }`,
	"Mutation.createGroup": () => `mutation { createGroup(source: "${ours.id}", name: "default") { id } }`,
	"Mutation.updateGroup": () => `mutation { updateGroup(group: "${ours.id}:nowhere", include: ["**"]) { id } }`,
	"Mutation.deleteGroup": () => `mutation { deleteGroup(group: "${ours.id}:nowhere") { id } }`,
	"Query.artifacts": () => `{ artifacts(source: "${ours.id}") { nodes { path } } }`,
	"Query.artifact": () => `{ artifact(source: "${ours.id}", path: "package.json") { object } }`,
	"Query.ingestions": () => "{ ingestions { nodes { id } } }",
	"Query.ingestion": () => `{ ingestion(id: "${ours.ingestion}") { id } }`,
	"Subscription.ingestionProgress": () => `subscription { ingestionProgress(id: "${ours.ingestion}") { status } }`,
	"Query.snapshot": () => "{ snapshot { number } }",
	"Query.snapshots": () => "{ snapshots { nodes { number } } }",
	"Subscription.snapshotPublished": () => "subscription { snapshotPublished(after: 0) { number } }",
	"Query.commits": () => `{ commits(source: "${ours.id}") { nodes { sha } } }`,
	"Query.search": () => `{ search(text: "shared") { hits { path } } }`,
	"Query.entity": () => `{ entity(entity: "shared") { entity { key } } }`,
	"Query.entities": () => `{ entities(name: "shared") { nodes { key } } }`,
	"Query.paths": () => `{ paths(from: "shared", to: "lodash") { truncated } }`,
	"Query.lineage": () => `{ lineage(entity: "customers", direction: UP) { truncated } }`,
	"Query.impact": () => `{ impact(entity: "shared") { truncated } }`,
	"Query.diff": () => `{ diff(source: "${ours.id}", from: "${ours.commit}") { to } }`,
	"Query.events": () => "{ events { nodes { id } } }",
	"Subscription.eventAppended": () => "subscription { eventAppended(after: 0) { id } }",
	"Query.command": () => `{ command(id: "${command}") { id } }`,
	"Mutation.ingest": () => `mutation { ingest(source: "${ours.id}") { id } }`,
	"Mutation.retry": () => `mutation { retry(ingestion: "${ours.ingestion}") { id } }`,
	"Mutation.cancel": () => `mutation { cancel(ingestion: "${ours.ingestion}") { id } }`,
	"Mutation.verify": () => `mutation { verify(source: "${ours.id}") { id } }`,
	"Mutation.createSource": () => `mutation { createSource(target: "${NEW_SOURCE.target}") { id } }`,
	"Mutation.deleteSource": () => `mutation { deleteSource(source: "${ours.id}") { id } }`,
	"Mutation.collectGarbage": () => "mutation { collectGarbage { id } }",
	"Query.apiKeys": () => "{ apiKeys { id } }",
	"Mutation.createApiKey": () => `mutation { createApiKey(name: "made by a test", roles: ["viewer"]) { secret } }`,
	"Mutation.revokeApiKey": () => `mutation { revokeApiKey(id: "0123456789ab") { id } }`,
};

const MCP: Readonly<Record<string, () => Record<string, string>>> = {
	"tool list_sources": () => ({}),
	"tool search": () => ({ query: "shared" }),
	"tool read_file": () => ({ path: "package.json", source: ours.id }),
	"tool entity": () => ({ entity: "shared" }),
	"tool neighbours": () => ({ entity: "shared" }),
	"tool lineage": () => ({ entity: "customers" }),
	"tool diff": () => ({ source: ours.id, from: ours.commit }),
	"resource sources": () => ({ uri: "lode://sources" }),
	"resource source": () => ({ uri: `lode://sources/${ours.id}` }),
	"resource source-at": () => ({ uri: `lode://sources/${ours.id}/at/${ours.commit}` }),
	"resource ingestion": () => ({ uri: `lode://ingestions/${ours.ingestion}` }),
};

const bearer = (secret: string | undefined): Record<string, string> =>
	secret === undefined ? {} : { authorization: `Bearer ${secret}` };

async function askRest(place: string, secret: string | undefined): Promise<Outcome> {
	const [path, init] = (REST[place] as (typeof REST)[string])();
	const headers = { ...bearer(secret), ...(init?.headers as Record<string, string>) };
	const response = await fetch(`${api.url}${path}`, { ...init, headers });
	const text = await response.text();
	if (response.status < 400) return "done";
	const { code, status } = JSON.parse(text) as { code: string; status: number };
	expect(status).toBe(response.status);
	return outcomeOf(code);
}

async function askGraphql(query: string, secret: string | undefined): Promise<Outcome> {
	if (query.startsWith("subscription")) return subscribe(query, secret);
	const response = await fetch(`${api.url}/graphql`, {
		method: "POST",
		body: JSON.stringify({ query }),
		headers: { "content-type": "application/json", ...bearer(secret) },
	});
	const answer = (await response.json()) as Answer;
	return outcomeOf(answer.code ?? answer.errors?.[0]?.extensions.code);
}

/** What the first value says, or the refusal of the operation or of the socket. */
function subscribe(query: string, secret: string | undefined): Promise<Outcome> {
	const socket = createClient({
		url: `${api.url.replace("http", "ws")}/graphql`,
		webSocketImpl: WebSocket,
		retryAttempts: 0,
		connectionParams: bearer(secret),
	});
	return new Promise<Outcome>((resolve, reject) => {
		const told = (errors: Answer) => {
			if (errors?.code === 4401) return resolve("UNAUTHENTICATED");
			const code = (Array.isArray(errors) ? errors : [])[0]?.extensions?.code;
			if (code === undefined) return reject(errors);
			return resolve(outcomeOf(code));
		};
		socket.subscribe<Answer>(
			{ query },
			{
				next: ({ errors }) => (errors ? told(errors) : resolve("done")),
				error: told,
				complete: () => resolve("done"),
			},
		);
	}).finally(() => socket.dispose());
}

async function askMcp(place: string, secret: string | undefined): Promise<Outcome> {
	const client = new Client({ name: "test", version: "1" });
	const requestInit = { headers: bearer(secret) };
	try {
		await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url), { requestInit }));
	} catch (error) {
		if (/401|unauthori[sz]ed|unauthenticated/i.test(String(error))) return "UNAUTHENTICATED";
		throw error;
	}
	try {
		const [kind, name = ""] = place.split(" ");
		const args = (MCP[place] as (typeof MCP)[string])();
		if (kind === "resource") {
			const code = await client.readResource({ uri: args.uri as string }).then(
				() => undefined,
				(error: Error) => /[A-Z]+_[A-Z_]+|FORBIDDEN/.exec(error.message)?.[0] ?? error.message,
			);
			return outcomeOf(code);
		}
		const answer: Answer = await client.callTool({ name, arguments: args });
		return outcomeOf(answer.isError ? answer._meta["lode/error"].code : undefined);
	} finally {
		await client.close();
	}
}

describe("every role and every operation", () => {
	const everybody = [{ name: "nobody", roles: [] as string[], secret: undefined, principal: undefined }] as const;

	/** One table: a row a place of an operation, a column an actor. */
	async function tableOf(
		places: (operation: Operation) => readonly string[] | undefined,
		ask: (place: string, secret: string | undefined) => Promise<Outcome>,
	) {
		const rows: { place: string; actor: string; expected: Outcome; found: Promise<Outcome> }[] = [];
		for (const operation of Object.values(OPERATIONS) as Operation[]) {
			for (const place of places(operation) ?? []) {
				if (NOT_SERVED.has(place)) continue;
				for (const { name: actor, secret, principal } of [...everybody, ...actors]) {
					rows.push({ place, actor, expected: expectedOf(operation, principal), found: ask(place, secret) });
				}
			}
		}
		const table = await Promise.all(
			rows.map(async ({ found, ...row }) => ({ ...row, found: await found.catch((error: Error) => error.message) })),
		);
		expect(table.filter(({ expected, found }) => expected !== found)).toEqual([]);
		return table;
	}

	test("over REST", async () => {
		const table = await tableOf(({ rest }) => rest, askRest);
		expect(new Set(table.map(({ place }) => place))).toEqual(new Set(Object.keys(REST)));
	});

	test("over GraphQL, subscriptions too", async () => {
		const table = await tableOf(
			({ graphql }) => graphql,
			(place, secret) => askGraphql((GRAPHQL[place] as () => string)(), secret),
		);
		expect(new Set(table.map(({ place }) => place))).toEqual(new Set(Object.keys(GRAPHQL)));
	});

	test("over MCP", async () => {
		const table = await tableOf(({ mcp: places }) => places, askMcp);
		expect(new Set(table.map(({ place }) => place))).toEqual(new Set(Object.keys(MCP)));
	});
});

test("MCP's own metrics are for those who may see the API's, and name no source", async () => {
	await askMcp("tool search", actors[0]?.secret);
	const page = (secret: string | undefined) => fetch(new URL("/metrics", mcp.url), { headers: bearer(secret) });
	for (const { name, secret, principal } of actors) {
		const { status } = await page(secret);
		expect([name, status]).toEqual([name, mayEverywhere(principal, "viewer") ? 200 : 403]);
	}
	expect((await page(undefined)).status).toBe(401);
	const text = await (await page(actors.find(({ name }) => name === "a viewer of all")?.secret)).text();
	expect(text).toMatch(/^lode_search_seconds_count\{outcome="answered"\} [1-9]/m);
	expect(text).toMatch(/^lode_http_request_seconds_count\{method="POST",route="\/mcp",status="200"\} [1-9]/m);
	expect(text).toMatch(/^lode_http_connections \d/m);
	for (const mark of [...ours.marks, ...other.marks]) expect(text).not.toContain(mark);
});

describe("a viewer of one source", () => scoping());

describe.runIf(hasServerProfile())("a viewer of one source, on the servers", () => {
	beforeAll(async () => {
		await close();
		await open(await serverProfile(environment.address));
	});
	scoping();
});

function scoping(): void {
	const secretOf = (actor: string): string => actors.find(({ name }) => name === actor)?.secret as string;
	async function get(path: string, actor = "a viewer of it"): Promise<{ status: number; text: string }> {
		const response = await fetch(`${api.url}${path}`, { headers: bearer(secretOf(actor)) });
		return { status: response.status, text: await response.text() };
	}
	async function send(method: string, path: string, body: unknown, actor: string) {
		const headers = { ...bearer(secretOf(actor)), ...(body !== undefined && { "content-type": "application/json" }) };
		const response = await fetch(`${api.url}${path}`, {
			method,
			headers,
			body: body === undefined ? null : JSON.stringify(body),
		});
		return { status: response.status, text: await response.text() };
	}
	const marksIn = (text: string): string[] => other.marks.filter((mark) => text.includes(mark));

	test("sees nothing of another one where it names none", async () => {
		const all = (await get("/api/v1/sources", "an admin of all")).text;
		// The marks are in what others may see: else their absence would say nothing.
		expect(marksIn(all)).not.toEqual([]);
		for (const path of [
			"sources",
			"sources?lag=true",
			"ingestions",
			"snapshots",
			"events?first=500",
			"search?q=house",
			"search?q=house&provenance=true&context=true&groupBy=file",
			"search?q=shared&since=2020-01-01",
			"search?like=src/common.ts",
			"graph?entity=lodash&depth=6&limit=1000",
			"graph?entity=shared&depth=6&limit=1000",
			"graph?entity=customers&depth=6",
		]) {
			const { status, text } = await get(`/api/v1/${path}`);
			expect({ path, status, marks: marksIn(text), empty: text.length < 20 }).toEqual({
				path,
				status: 200,
				marks: [],
				empty: false,
			});
			// Its snapshot is the last one that it may see something of.
			const { snapshot } = JSON.parse(text) as { snapshot?: number };
			if (snapshot !== undefined) expect(snapshot).toBe(ours.snapshot);
		}
		const query = `{
			snapshot { number publishedAt }
			sources { nodes { id address head { commit snapshot } } }
			ingestions { nodes { id commit workflowUrl } }
			snapshots { nodes { number sourceId } }
			search(text: "house", first: 100) { snapshot hits { text path source } }
			entities(first: 100) { nodes { key name sources origins } }
			entity(entity: "lodash") { entity { sources origins neighbours { nodes { key } } } alternatives { key } }
			impact(entity: "lodash", depth: 10) { reached { key } }
			events(first: 100) { nodes { stream type data source } }
		}`;
		const response = await fetch(`${api.url}/graphql`, {
			method: "POST",
			body: JSON.stringify({ query }),
			headers: { "content-type": "application/json", ...bearer(secretOf("a viewer of it")) },
		});
		const text = await response.text();
		const { data, errors } = JSON.parse(text) as Answer;
		expect(errors).toBeUndefined();
		expect(marksIn(text)).toEqual([]);
		expect(data.entity.entity.sources).toEqual([ours.id]);
		expect([data.snapshot.number, data.search.snapshot]).toEqual([ours.snapshot, ours.snapshot]);
		expect(data.events.nodes.every(({ source }: Answer) => source === ours.id)).toBe(true);
	});

	test("sees nothing of another one over MCP and in what is followed", async () => {
		const client = new Client({ name: "test", version: "1" });
		const requestInit = { headers: bearer(secretOf("a viewer of it")) };
		await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url), { requestInit }));
		const said = [
			await client.callTool({ name: "list_sources", arguments: {} }),
			await client.callTool({ name: "search", arguments: { query: "house", limit: 50 } }),
			await client.callTool({ name: "neighbours", arguments: { entity: "lodash" } }),
			await client.listResources(),
			await client.readResource({ uri: "lode://sources" }),
			await client.complete({
				ref: { type: "ref/resource", uri: "lode://sources/{source}" },
				argument: { name: "source", value: "" },
			}),
		];
		await client.close();
		for (const one of said) expect(marksIn(JSON.stringify(one))).toEqual([]);
		expect(JSON.stringify(said)).toContain(ours.id);

		const socket = createClient({
			url: `${api.url.replace("http", "ws")}/graphql`,
			webSocketImpl: WebSocket,
			connectionParams: bearer(secretOf("a viewer of it")),
		});
		const followed: string[] = [];
		const query = "subscription { eventAppended(after: 0) { id type source stream data } }";
		const seen = new Promise<void>((resolve, reject) => {
			socket.subscribe<Answer>(
				{ query },
				{
					next: ({ data }) => {
						followed.push(JSON.stringify(data));
						if (data.eventAppended.type === "CommandAccepted") resolve();
					},
					error: reject,
					complete: resolve,
				},
			);
		});
		await seen;
		await socket.dispose();
		expect(marksIn(followed.join())).toEqual([]);
		expect(followed.join()).toContain("IngestionPublished");
	});

	test("is told of another one that it names what it is told of one that is nowhere", async () => {
		const local = opened.as(LOCAL);
		await local.commands.submit({ kind: "verify", source: other.id }, "of the other").catch(() => undefined);
		const [accepted] = await lode.ports.events.latest(1, { types: ["CommandAccepted"] });
		const { hits } = await local.reader.search({ text: "zanzibar", limit: 1, source: other.id });
		/** What is there, and what is nowhere, of the same form. */
		const named: Readonly<Record<string, readonly [there: string, nowhere: string]>> = {
			ID: [other.id, "zanzibar-0123456789ab"],
			// Its name alone is the beginning of both ids, and so may be its first digit.
			PREFIX: [other.id.slice(0, -2), "zanzibar-0123456789"],
			ADDRESS: [other.address, "/tmp/lode-repository-nowhere/repository"],
			COMMIT: [other.commit, "f".repeat(40)],
			SHORT: [other.commit.slice(0, 8), "ffffffff"],
			INGESTION: [other.ingestion, "ing-999"],
			SNAPSHOT: [String(other.snapshot), "999"],
			COMMAND: [accepted?.metadata.correlationId as string, `cmd-${"0".repeat(32)}`],
			HIT: [hits[0]?.id as string, "zanzibar-0123456789ab:default:1:src/zanzibar.ts"],
			FILE: [`file:${other.id}:src/zanzibar.ts`, "file:zanzibar-0123456789ab:src/zanzibar.ts"],
			NAME: ["zanzibarCount", "nowhereCount"],
		};
		const requests: readonly (readonly [method: string, path: string, body?: unknown])[] = [
			["GET", "sources/ID"],
			["GET", "sources/PREFIX?lag=true"],
			["GET", "sources/ID/groups"],
			["GET", "groups?source=ID"],
			["GET", "groups?source=ADDRESS"],
			["GET", "groups/ID:default"],
			["POST", "groups", { source: "ID", name: "notes" }],
			["PUT", "groups/ID:default", { path: "src" }],
			["DELETE", "groups/ID:default"],
			["GET", "sources/ID/artifacts"],
			["GET", "sources/PREFIX/artifacts"],
			["GET", "sources/ID/artifacts/content?path=package.json"],
			["GET", "ingestions/INGESTION"],
			["GET", "search?q=house&source=ID"],
			["GET", "search?q=house&source=ADDRESS"],
			["GET", "search?q=house&at=COMMIT"],
			["GET", "search?q=house&at=SHORT"],
			["GET", "search?q=house&at=SNAPSHOT"],
			["GET", "search?q=house&since=COMMIT"],
			["GET", "search?like=HIT"],
			["GET", "search?like=NAME"],
			["GET", "search?q=house&minVisibility=command:COMMAND&visibilityTimeout=0"],
			["GET", "search?q=house&minVisibility=snapshot:SNAPSHOT&visibilityTimeout=0"],
			["GET", "graph?entity=FILE"],
			["GET", "graph?entity=NAME"],
			["GET", "graph?entity=shared&source=ID"],
			["GET", "diff?source=ID&from=1&to=2"],
			["GET", `diff?source=${ours.id}&from=COMMIT&to=${ours.commit}`],
			["GET", "events?source=ID"],
			["GET", "events?stream=source-ID"],
			["GET", "events?stream=ingestion-INGESTION"],
			["GET", "events?stream=command-COMMAND"],
			["GET", "commands/COMMAND"],
			["GET", "commands/COMMAND/wait?timeout=0"],
			["POST", "ingestions", { source: "ID" }],
			["POST", "ingestions", { target: "ADDRESS" }],
			["POST", "ingestions/INGESTION/retry"],
			["POST", "ingestions/INGESTION/cancel"],
			["POST", "verifications", { source: "ID" }],
			["POST", "verifications", { source: ours.id, at: "COMMIT" }],
			["DELETE", "sources/ID"],
		];
		for (const [method, path, body] of requests) {
			const answers = await Promise.all(
				([0, 1] as const).map(async (which) => {
					const put = (text: string, encode: (value: string) => string) =>
						Object.entries(named).reduce((all, [name, pair]) => all.replaceAll(name, encode(pair[which])), text);
					const sent = body === undefined ? undefined : JSON.parse(put(JSON.stringify(body), (value) => value));
					const { status, text } = await send(
						method,
						`/api/v1/${put(path, encodeURIComponent)}`,
						sent,
						"an admin of it",
					);
					// What it said itself may come back.
					const anonymous = Object.entries(named)
						.filter(([name]) => name !== "SNAPSHOT")
						.sort(([, a], [, b]) => b[which].length - a[which].length)
						.reduce((all, [name, pair]) => all.replaceAll(pair[which], name), text)
						.replace(/(snapshot[ :])(\d+)/g, (_, before, number) =>
							number === named.SNAPSHOT?.[which] ? `${before}SNAPSHOT` : `${before}${number}`,
						)
						.replace(/"tookMs":[\d.]+/, "");
					return { status, anonymous };
				}),
			);
			expect({ method, path, ...answers[0] }).toEqual({ method, path, ...answers[1] });
		}
	});
}
