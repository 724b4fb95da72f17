import { readFile } from "node:fs/promises";
import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport } from "@modelcontextprotocol/server";
import { buildSchema } from "graphql";
import { expect, test } from "vitest";
import { createMcpServer } from "../../mcp/create-server.js";
import type { LodeReader } from "../lode.js";
import { OPERATIONS, type Operation } from "./operations.js";

/** Real: the documents that say what REST and GraphQL have (documents.unit.spec.ts holds them to the code), and the MCP server. */

const operations = Object.values(OPERATIONS) as readonly Operation[];
const tabled = (places: (operation: Operation) => readonly string[] | undefined): string[] =>
	operations.flatMap((operation) => places(operation) ?? []).sort();
const read = (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), "utf8");

test("every route is in the table, and no other", async () => {
	const { paths } = JSON.parse(await read("docs/openapi.json")) as { paths: Record<string, Record<string, unknown>> };
	const routes = Object.entries(paths).flatMap(([path, methods]) =>
		Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
	);
	// Pages and GraphQL are not in the document: create-api.ts adds them.
	const others = [
		...(OPERATIONS.documents.rest as readonly string[]),
		...OPERATIONS.graphql.rest,
		...OPERATIONS.metrics.rest,
	];
	expect(tabled(({ rest }) => rest)).toEqual([...routes, ...others].sort());
});

test("every field of GraphQL's operations is in the table, and no other", async () => {
	const schema = buildSchema(await read("schema.graphql"));
	const types = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
	const fields = types.flatMap((type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`));
	expect(tabled(({ graphql }) => graphql)).toEqual(fields.sort());
});

test("every tool and resource is in the table, and no other", async () => {
	const [ours, theirs] = InMemoryTransport.createLinkedPair();
	const nothing = { sources: async () => [], status: async () => ({ ingestions: [] }) } as unknown as LodeReader;
	const asked: string[] = [];
	const permit = async (place: string) => void asked.push(place);
	await createMcpServer(nothing, "1", () => undefined, permit).connect(ours);
	const client = new Client({ name: "test", version: "1" });
	await client.connect(theirs);
	const { tools } = await client.listTools();
	for (const { name } of tools) {
		const input = { query: "x", path: "x", entity: "x", source: "x", from: "1" };
		const wanted = tools.find((tool) => tool.name === name)?.inputSchema.properties ?? {};
		const args = Object.fromEntries(Object.entries(input).filter(([key]) => key in wanted));
		await client.callTool({ name, arguments: args });
	}
	for (const uri of ["sources", "sources/a", "sources/a/at/1", "ingestions/a"]) {
		await client.readResource({ uri: `lode://${uri}` }).catch(() => undefined);
	}
	const { resources } = await client.listResources();
	const { resourceTemplates } = await client.listResourceTemplates();
	expect(resources.length + resourceTemplates.length).toBe(
		asked.filter((place) => place.startsWith("resource")).length,
	);
	expect(asked.sort()).toEqual(tabled(({ mcp }) => mcp));
	await client.close();
});
