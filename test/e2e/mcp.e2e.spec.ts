import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { parse as parseToml } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDocument, tableUnder } from "../support/document-examples.js";
import { LodeInstance } from "../support/lode-instance.js";
import { environment as childEnvironment } from "../support/lode-process.js";
import { type Era, McpHttpProcess, stdioClient } from "../support/mcp-clients.js";
import { createShop, type Shop } from "../support/shop-repository.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/** Real: the built CLI as a process, the SDK's own client, a repository that Lode ingested into all stores. */
describe("MCP", () => {
	let environment: TestWorkflowEnvironment;
	let lode: LodeInstance;
	let home: string;
	let shop: Shop;
	let source: string;
	let first: string;
	let last: string;
	let server: McpHttpProcess;
	const clients: Client[] = [];
	beforeAll(async () => {
		environment = await temporalEnvironment();
		lode = await LodeInstance.open(environment);
		home = lode.home;
		shop = await createShop();
		[first, , last] = shop.commits;
		for (const ref of [first, last]) source = (await lode.ingest(shop.path, ref)).source;
		server = await McpHttpProcess.start(home);
	});
	afterAll(async () => {
		for (const client of clients) await client.close();
		expect(await server?.stop()).toBe(0);
		await shop?.remove();
		await lode?.close();
		await environment?.teardown();
	});

	async function connect(transport: "stdio" | "http", era: Era): Promise<Client> {
		const client = transport === "stdio" ? (await stdioClient(home, era)).client : await server.client(era);
		clients.push(client);
		return client;
	}
	async function call(client: Client, name: string, args: Record<string, unknown>): Promise<Answer> {
		const result: Answer = await client.callTool({ name, arguments: args });
		expect(result.isError, result.content?.[0]?.text).toBeFalsy();
		expect(result.content[0].text.length).toBeGreaterThan(0);
		return result.structuredContent;
	}
	async function failure(client: Client, name: string, args: Record<string, unknown>): Promise<Answer> {
		const result: Answer = await client.callTool({ name, arguments: args });
		expect(result.isError).toBe(true);
		return { ...result._meta?.["lode/error"], text: result.content[0].text };
	}

	test.each([
		["stdio", "legacy"],
		["stdio", "auto"],
		["http", "legacy"],
		["http", "auto"],
	] as const)("every tool answers over %s (%s), from the snapshot that is asked for", async (transport, era) => {
		const client = await connect(transport, era);
		const { tools } = await client.listTools();
		expect(tools.map(({ name }) => name).sort()).toEqual(
			["diff", "entity", "lineage", "list_sources", "neighbours", "read_file", "search"].sort(),
		);
		for (const tool of tools) {
			expect(tool.annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false });
			expect([tool.inputSchema.type, tool.outputSchema?.type]).toEqual(["object", "object"]);
		}
		// The client checks what it gets against the tool's output schema.
		const { sources } = await call(client, "list_sources", {});
		expect(sources).toMatchObject([{ id: source, commit: last, snapshot: 2 }]);

		const found = await call(client, "search", { query: "refunded orders", kinds: ["function"], limit: 3 });
		expect(found.hits[0]).toMatchObject({ path: "src/orders.ts", symbol: "refundedOrders", commit: last });
		const before = await call(client, "search", { query: "refunded orders", at: "1" });
		expect(before.snapshot).toBe(1);
		expect(before.hits.map(({ symbol }: Answer) => symbol)).not.toContain("refundedOrders");

		const { startLine } = found.hits[0];
		const file = await call(client, "read_file", { path: "src/orders.ts", startLine, maxLines: 2 });
		expect(file).toMatchObject({ source, snapshot: 2, startLine, endLine: startLine + 1 });
		expect(file.text).toContain("refundedOrders");
		const old = await call(client, "read_file", { path: "src/orders.ts", at: first });
		expect(old).toMatchObject({ commit: first, truncated: false });
		expect(old.text).toContain("parseOrders");
		expect(old.text).not.toContain("refundedOrders");
		expect(await call(client, "read_file", { path: "seeds/raw_payments.csv", at: "1" })).toMatchObject({ lines: 2 });

		const customers = await call(client, "entity", { entity: "customers" });
		expect(customers.entity).toMatchObject({ kind: "data_model", props: { description: expect.any(String) } });
		const calls = await call(client, "neighbours", { entity: "parseOrders", direction: "in", kinds: ["CALLS"] });
		expect(calls.edges).toMatchObject([{ kind: "CALLS", from: expect.stringContaining("readOrders") }]);
		const lineage = await call(client, "lineage", { entity: "customers", direction: "up" });
		expect(lineage.up.map(({ to, depth }: Answer) => [to.split(":").at(-1), depth])).toEqual([
			["stg_orders", 1],
			["raw_orders", 2],
			["seeds/raw_orders.csv", 3],
		]);
		expect(lineage.down).toEqual([]);
		const diff = await call(client, "diff", { source: source.slice(0, 12), from: "1", to: "2", kinds: ["symbol"] });
		expect(diff).toMatchObject({ from: first, to: last, counts: { added: 1, removed: 0 } });
		expect(diff.added).toMatchObject([{ name: "refundedOrders" }]);
	});

	test.each(["stdio", "http"] as const)(
		"what is wrong is a tool error with Lode's code and next step (%s)",
		async (transport) => {
			const client = await connect(transport, "auto");
			expect(await failure(client, "entity", { entity: "customrs" })).toMatchObject({
				code: "ENTITY_NOT_FOUND",
				next: expect.any(String),
				text: expect.stringMatching(/^error ENTITY_NOT_FOUND: .*\nnext: /s),
			});
			expect(await failure(client, "read_file", { path: "../../etc/passwd" })).toMatchObject({
				code: "FILE_NOT_FOUND",
			});
			expect(await failure(client, "search", { query: "a", at: "99" })).toMatchObject({ code: "SNAPSHOT_NOT_FOUND" });
			expect(await failure(client, "search", { query: "a", at: "never" })).toMatchObject({ code: "USAGE" });
			expect(await failure(client, "diff", { source: "nowhere", from: "1" })).toMatchObject({
				code: "SOURCE_NOT_FOUND",
			});
			for (const wrong of [
				{},
				{ query: "" },
				{ query: "a", limit: 51 },
				{ query: "a", unknown: 1 },
				{ query: { $ne: 1 } },
			])
				expect((await failure(client, "search", wrong)).text).toMatch(/query|limit|unknown/);
			// It lives on.
			expect((await call(client, "search", { query: "orders", limit: 1 })).hits).toHaveLength(1);
		},
	);

	test.each(["stdio", "http"] as const)("sources and reports are resources (%s)", async (transport) => {
		const client = await connect(transport, "legacy");
		const { resources } = await client.listResources();
		expect(resources.map(({ uri }) => uri).sort()).toEqual(
			["lode://ingestions/ing-1", "lode://ingestions/ing-2", "lode://sources", `lode://sources/${source}`].sort(),
		);
		const { resourceTemplates } = await client.listResourceTemplates();
		expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate).sort()).toEqual([
			"lode://ingestions/{ingestion}",
			"lode://sources/{source}",
			"lode://sources/{source}/at/{at}",
		]);
		const read = async (uri: string): Promise<Answer> => {
			const { contents } = await client.readResource({ uri });
			expect(contents).toMatchObject([{ uri, mimeType: "application/json" }]);
			return JSON.parse((contents[0] as { text: string }).text);
		};
		expect(await read(`lode://sources/${source}`)).toMatchObject({
			...{ snapshot: 2, commit: last, ingestion: "ing-2" },
			entities: { data_model: expect.any(Number), file: 7 },
		});
		expect(await read(`lode://sources/${source}/at/${first}`)).toMatchObject({ snapshot: 1, files: 8 });
		expect(await read("lode://ingestions/ing-2")).toMatchObject({ status: "published", commit: last });
		await expect(read("lode://ingestions/ing-9")).rejects.toThrow(/INGESTION_NOT_FOUND/);
		await expect(read("lode://sources/nowhere")).rejects.toThrow(/SOURCE_NOT_FOUND/);
		const completed = await client.complete({
			ref: { type: "ref/resource", uri: "lode://sources/{source}" },
			argument: { name: "source", value: source.slice(0, 3) },
		});
		expect(completed.completion.values).toEqual([source]);
	});

	test("standard output carries the protocol only, and the process ends with its client", async () => {
		const noisy = join(home, "noisy.mjs");
		await writeFile(noisy, `setInterval(() => { console.log("noise"); process.stdout.write("more\\n"); }, 5);`);
		const request = { jsonrpc: "2.0", id: 1, method: "initialize" };
		const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
		const run = await new Promise<{ stdout: string; stderr: string; code: number | null }>((resolve) => {
			const main = join(import.meta.dirname, "../../dist/src/cli/main.js");
			const child = execFile(
				process.execPath,
				[main, "mcp"],
				{ env: childEnvironment(home, {}) },
				(_error, stdout, stderr) => resolve({ stdout, stderr, code: child.exitCode }),
			);
			child.stdin?.write(`${JSON.stringify({ ...request, params })}\n`);
			child.stdout?.once("data", () => child.stdin?.end());
		});
		expect(run).toMatchObject({ code: 0, stderr: "" });
		expect(JSON.parse(run.stdout)).toMatchObject({ id: 1, result: { serverInfo: { name: "lode" } } });

		const { client, stderr } = await stdioClient(home, "legacy", { NODE_OPTIONS: `--import ${noisy}` });
		clients.push(client);
		const broken: Error[] = [];
		client.onerror = (error) => broken.push(error);
		for (let n = 0; n < 5; n++) await call(client, "search", { query: "orders" });
		expect(broken.map(({ message }) => message)).toEqual([]);
		expect(stderr()).toMatch(/noise[\s\S]*more/);
	});

	test("over HTTP only this machine and its own pages may ask", async () => {
		const ask = (headers: Record<string, string>, { path = "/mcp", method = "POST", body = "{}" } = {}) =>
			new Promise<number | undefined>((resolve, reject) => {
				const { port } = new URL(server.url);
				const accept = "application/json, text/event-stream";
				const all = { "content-type": "application/json", accept, ...headers };
				http
					.request({ host: "127.0.0.1", port, path, method, headers: all }, (answer) => {
						answer.resume().once("end", () => resolve(answer.statusCode));
					})
					.on("error", reject)
					.end(body);
			});
		const ping = { body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }) };
		expect(new URL(server.url).hostname).toBe("127.0.0.1");
		expect(await ask({}, ping)).toBe(200);
		expect(await ask({ host: "localhost:1" }, ping)).toBe(200);
		expect(await ask({ origin: "http://localhost:3000" }, ping)).toBe(200);
		for (const headers of [
			{ host: "evil.example" },
			{ host: "127.0.0.1.evil.example" },
			{ origin: "https://evil.example" },
			{ origin: "null" },
		] as Record<string, string>[])
			expect(await ask(headers, ping), JSON.stringify(headers)).toBe(403);
		expect(await ask({}, { ...ping, path: "/" })).toBe(404);
		expect(await ask({ "content-type": "text/plain" }, ping)).toBe(415);
		expect(await ask({}, { body: " ".repeat(1024 * 1024 + 1) })).toBe(413);
		expect(await ask({}, { body: "{" })).toBe(400);
		expect(await ask({}, { method: "DELETE", body: "" })).toBe(405);
		expect(await ask({}, ping)).toBe(200);
	});

	describe("docs/mcp.md", () => {
		const blocks = (markdown: string, language: string) =>
			[...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
				([, block = ""]) => block,
			);

		test("what it tells clients to start answers, and is the same for all of them", async () => {
			const markdown = await readDocument("docs/mcp.md");
			const json = blocks(markdown, "json").map((block) => JSON.parse(block) as Answer);
			const entries: Answer[] = json.map(({ mcpServers, servers }) => (mcpServers ?? servers).lode);
			const [toml = ""] = blocks(markdown, "toml");
			entries.push((parseToml(toml) as Answer).mcp_servers.lode);
			const started = entries
				.filter(({ url }) => url === undefined)
				.map(({ command, args, env }) => ({ command, args, env }));
			expect(started).toHaveLength(3);
			const one = started[0] as Answer;
			expect(started).toEqual([one, one, one]);
			const words = [one.command, ...one.args].join(" ");
			expect(blocks(markdown, "sh")[0]?.trim()).toBe(
				`claude mcp add lode --env LODE_HOME=${one.env.LODE_HOME} -- ${words}`,
			);
			const { LODE_HOME: _, ...rest } = childEnvironment(home, {});
			const transport = new StdioClientTransport({
				command: one.command,
				args: one.args.map((word: string) => (word === "/path/to/this/clone" ? ROOT : word)),
				env: { ...rest, ...one.env, LODE_HOME: home } as Record<string, string>,
				stderr: "ignore",
			});
			const client = new Client({ name: "documented", version: "1" });
			clients.push(client);
			await client.connect(transport);
			expect((await client.listTools()).tools).toHaveLength(7);
			expect(entries.find(({ url }) => url !== undefined)).toEqual({ type: "http", url: "http://127.0.0.1:8482/mcp" });
		});

		test("it has every tool with what it takes, and every resource", async () => {
			const markdown = await readDocument("docs/mcp.md");
			const code = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text);
			const client = await connect("http", "auto");
			const { tools } = await client.listTools();
			expect(tableUnder(markdown, "tool").map(([name, takes]) => [code(name)[0], code(takes).sort()])).toEqual(
				tools.map(({ name, inputSchema }) => [name, Object.keys(inputSchema.properties ?? {}).sort()]),
			);
			const { resourceTemplates } = await client.listResourceTemplates();
			expect(tableUnder(markdown, "resource").map(([uri]) => code(uri)[0])).toEqual([
				"lode://sources",
				...resourceTemplates.map(({ uriTemplate }) => uriTemplate),
			]);
		});
	});
});
