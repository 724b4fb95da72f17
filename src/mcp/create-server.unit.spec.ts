import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport } from "@modelcontextprotocol/server";
import { afterEach, describe, expect, it } from "vitest";
import { Secret } from "../config/secret.js";
import { LodeError } from "../domain/errors.js";
import type { LodeReader } from "../services/lode.js";
import type { FileReport, GraphReport, SearchHit } from "../services/reports.js";
import { createMcpServer } from "./create-server.js";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

const HUGE = "x".repeat(5_000_000);
const KEY = "data_model:s:m";

/** The use cases are played: their answers are as large, or as wrong, as no store gives them. */
describe("the MCP server", () => {
	let client: Client;
	const reported: string[] = [];
	afterEach(() => client.close());

	async function connect(reader: Partial<LodeReader>): Promise<void> {
		const [ours, theirs] = InMemoryTransport.createLinkedPair();
		await createMcpServer(reader as LodeReader, "1.2.3", (line) => reported.push(line)).connect(ours);
		client = new Client({ name: "test", version: "1" });
		await client.connect(theirs);
	}
	const call = (name: string, args: Record<string, unknown>): Promise<Answer> =>
		client.callTool({ name, arguments: args });

	it("bounds every answer, as text and as an object", async () => {
		const entity = {
			...{ key: KEY, kind: "data_model" as const, name: "m", sources: ["s"] },
			origins: Array.from({ length: 100 }, (_, n) => `file:${n}`),
			props: { text: HUGE, deep: { a: { b: { c: { d: HUGE } } } }, list: Array.from({ length: 1_000 }, () => HUGE) },
		};
		const hit = { source: "s", commit: "c", path: "p", startLine: 1, endLine: 2, kind: "text", symbol: null, score: 1 };
		const hits = Array.from({ length: 1_000 }, () => ({ ...hit, text: HUGE }) as SearchHit);
		const changes = Array.from({ length: 10_000 }, (_, n) => ({
			key: `file:s:${n}`,
			kind: "file" as const,
			name: `${n}`,
		}));
		const changed = (change: "added" | "removed" | "changed") => changes.map((one) => ({ ...one, change }));
		await connect({
			search: async () => ({
				snapshot: 1,
				model: "m",
				tookMs: 1,
				hits,
				pluginProblems: ["p: afterSearch threw Error"],
			}),
			graph: async () =>
				({ snapshot: 1, entity, alternatives: [], edges: [], entities: {}, truncated: false }) as GraphReport,
			diff: async () => ({
				...{ source: "s", from: "a", to: "b" },
				...{ added: changed("added"), removed: changed("removed"), changed: changed("changed") },
			}),
		});
		for (const [name, args] of [
			["search", { query: "q", limit: 50 }],
			["entity", { entity: "m" }],
			["diff", { source: "s", from: "1", limit: 500 }],
		] as const) {
			const answer = await call(name, args);
			expect(answer.isError, name).toBeFalsy();
			expect(answer.content[0].text.length, name).toBeLessThan(61_000);
			expect(JSON.stringify(answer.structuredContent).length, name).toBeLessThan(500_000);
		}
		const { structuredContent: found } = await call("search", { query: "q", limit: 1 });
		expect(found).toMatchObject({ pluginProblems: ["p: afterSearch threw Error"], hits: [{ truncated: true }] });
		const { structuredContent: diff } = await call("diff", { source: "s", from: "1", limit: 2 });
		expect(diff).toMatchObject({ truncated: true, counts: { added: 10_000 }, added: [{ key: "file:s:0" }, {}] });
	});

	it("asks a file's reader for no more than an answer holds", async () => {
		const asked: unknown[] = [];
		await connect({
			file: async (path, range) => {
				asked.push([path, range]);
				return { path, text: null, skipped: "binary", commit: "c", source: "s", snapshot: 1, size: 3 } as FileReport;
			},
		});
		await call("read_file", { path: "a" });
		expect(asked).toEqual([["a", { startLine: 1, maxLines: 400, maxCharacters: 50_000 }]]);
	});

	it("tells the client the code and the next step, and nothing of what it does not know", async () => {
		new Secret("s3cret-value");
		const errors = [
			new LodeError("STORE_UNAVAILABLE", "no answer with s3cret-value", { next: "lode doctor" }),
			new TypeError("cannot read /home/somebody/private"),
		];
		await connect({ search: async () => Promise.reject(errors.shift()) });
		expect(await call("search", { query: "q" })).toMatchObject({
			isError: true,
			content: [{ text: "error STORE_UNAVAILABLE: no answer with [secret]\nnext: lode doctor" }],
			_meta: { "lode/error": { code: "STORE_UNAVAILABLE", next: "lode doctor" } },
		});
		const unknown = await call("search", { query: "q" });
		expect(unknown._meta["lode/error"].code).toBe("INTERNAL");
		expect(JSON.stringify(unknown)).not.toContain("private");
		expect(reported.join()).toContain("private");
	});
});
