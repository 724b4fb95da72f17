import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LodeError } from "../../domain/errors.js";
import { guardedFetch } from "./guarded-fetch.js";
import { createOpenaiProvider, type OpenaiProviderOptions } from "./openai-provider.js";
import { retryAfterMs } from "./retry-after.js";

interface Asked {
	readonly url: string;
	readonly authorization: string | undefined;
	readonly body: { model: string; input: string[]; encoding_format?: string };
}
interface Answer {
	readonly status?: number;
	readonly headers?: Record<string, string>;
	readonly body?: unknown;
	readonly hang?: true;
}

const base64 = (numbers: readonly number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
const lists = (asked: Asked): Answer => ({
	body: { data: asked.body.input.map((text, index) => ({ index, embedding: [text.length, 1, 0] })) },
});

/** Real: a server on this machine that speaks HTTP. */
describe("an OpenAI-compatible endpoint", () => {
	let server: Server;
	let url: string;
	let asked: Asked[];
	let answer: (asked: Asked) => Answer;

	beforeEach(async () => {
		asked = [];
		answer = lists;
		server = createServer(async (request, response) => {
			const one: Asked = {
				url: request.url ?? "",
				authorization: request.headers.authorization,
				body: JSON.parse(await text(request)) as Asked["body"],
			};
			asked.push(one);
			const { status = 200, headers = {}, body = {}, hang } = answer(one);
			if (hang) return;
			response.writeHead(status, { "content-type": "application/json", ...headers });
			response.end(typeof body === "string" ? body : JSON.stringify(body));
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	});
	afterEach(async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	});

	const provider = (options: Partial<OpenaiProviderOptions> = {}) =>
		createOpenaiProvider({ baseUrl: url, model: "Some Model:latest", ...options });

	it("learns its dimensions by asking, and makes an id of them", async () => {
		const one = provider();
		expect(await one.model()).toEqual({ id: "openai/some-model-latest-3", dimensions: 3 });
		await one.model();
		expect(asked).toHaveLength(1);
	});

	it("gives unit vectors in the order of the texts, from lists or base64, whatever order they come in", async () => {
		answer = ({ body }) => ({
			body: {
				data: body.input
					.map((each, index) => ({ index, embedding: index === 0 ? base64([each.length, 0]) : [0, each.length] }))
					.reverse(),
			},
		});
		expect(await provider().embed(["one", "three"])).toEqual([Float32Array.of(1, 0), Float32Array.of(0, 1)]);
		expect(asked[0]?.body).toMatchObject({ model: "Some Model:latest", encoding_format: "base64" });
		expect(await provider().embed([])).toEqual([]);
	});

	it("finds the address with and without /v1, with and without a slash", async () => {
		for (const [base, path] of [
			["", "/v1/embeddings"],
			["/", "/v1/embeddings"],
			["/v1", "/v1/embeddings"],
			["/v1/", "/v1/embeddings"],
			["/v1beta/openai", "/v1beta/openai/embeddings"],
			["/v1/embeddings", "/v1/embeddings"],
		]) {
			asked = [];
			await provider({ baseUrl: `${url}${base}` }).embed(["x"]);
			expect(asked.map((one) => one.url)).toEqual([path]);
		}
		answer = (one) => (one.url === "/embeddings" ? lists(one) : { status: 404 });
		asked = [];
		const bare = provider();
		await bare.embed(["x"]);
		await bare.embed(["x"]);
		expect(asked.map((one) => one.url)).toEqual(["/v1/embeddings", "/embeddings", "/embeddings"]);
	});

	it("does without base64 where the endpoint refuses it", async () => {
		answer = (one) => (one.body.encoding_format === undefined ? lists(one) : { status: 400 });
		const one = provider();
		await one.embed(["x"]);
		await one.embed(["x"]);
		expect(asked.map(({ body }) => body.encoding_format)).toEqual(["base64", undefined, undefined]);
	});

	it("cuts texts that are too long, never inside a character, and sends no empty ones", async () => {
		await provider({ maxCharacters: 4 }).embed(["abcdefgh", "abc\u{1f600}", "", "  "]);
		expect(asked[0]?.body.input).toEqual(["abcd", "abc", " ", " "]);
	});

	it("tells refusals apart", async () => {
		const cases: [Answer, Record<string, unknown>][] = [
			[
				{ status: 429, headers: { "retry-after": "2" } },
				{ code: "EMBEDDING_RATE_LIMITED", retryAfterMs: 2000 },
			],
			[{ status: 429 }, { code: "EMBEDDING_RATE_LIMITED", retryAfterMs: undefined }],
			[
				{ status: 503, headers: { "retry-after": "1" } },
				{ code: "EMBEDDING_RATE_LIMITED", retryAfterMs: 1000 },
			],
			[{ status: 503 }, { code: "EMBEDDING_UNAVAILABLE" }],
			[{ status: 500 }, { code: "EMBEDDING_UNAVAILABLE" }],
			[{ status: 401 }, { code: "EMBEDDING_FAILED", next: expect.stringContaining("LODE_EMBEDDING_API_KEY") }],
			[{ status: 403 }, { code: "EMBEDDING_FAILED" }],
			[{ status: 404 }, { code: "EMBEDDING_FAILED", next: expect.stringContaining("LODE_EMBEDDING_MODEL") }],
			[{ status: 400 }, { code: "EMBEDDING_FAILED" }],
			[
				{ status: 429, body: { error: { code: "insufficient_quota" } } },
				{ code: "EMBEDDING_FAILED", message: expect.stringContaining("insufficient_quota") },
			],
			[{ body: "<html>" }, { code: "EMBEDDING_FAILED" }],
		];
		for (const [given, expected] of cases) {
			answer = () => given;
			await expect(provider().embed(["x"])).rejects.toMatchObject(expected);
		}
	});

	it("refuses responses that are not what was asked for", async () => {
		const data = (...items: unknown[]) => ({ body: { data: items } });
		const good = { index: 0, embedding: [1, 0] };
		const answers: Answer[] = [
			{ body: {} },
			{ body: "null" },
			data(good),
			data(good, good),
			data(good, { index: 2, embedding: [1, 0] }),
			data(good, { index: 1, embedding: [1, 0, 0] }),
			data(good, { index: 1, embedding: [] }),
			data(good, { index: 1, embedding: [0, 0] }),
			data(good, { index: 1, embedding: [1e39, 0] }),
			data(good, { index: 1, embedding: ["1", 0] }),
			data(good, { index: 1, embedding: "AAA" }),
			data(good, { index: 1, embedding: base64([Number.NaN, 1]) }),
			data(good, { index: 1 }),
			data(good, null),
		];
		for (const given of answers) {
			answer = () => given;
			await expect(provider().embed(["a", "b"])).rejects.toMatchObject({ code: "EMBEDDING_FAILED" });
		}
	});

	it("follows no redirect: texts and the key go nowhere else", async () => {
		const elsewhere = url.replace("127.0.0.1", "localhost");
		for (const status of [301, 302, 307, 308]) {
			answer = () => ({ status, headers: { location: `${elsewhere}/v1/embeddings` } });
			await expect(provider().embed(["x"])).rejects.toMatchObject({
				code: "EMBEDDING_FAILED",
				next: expect.stringContaining("LODE_EMBEDDING_BASE_URL"),
			});
		}
		expect(asked).toHaveLength(4);
	});

	it("asks where it may alone, at the addresses that were looked at", async () => {
		const { port } = server.address() as AddressInfo;
		const looked: string[] = [];
		const guarded = guardedFetch(async (host) => {
			looked.push(host);
			if (host !== "embeddings.test") throw new LodeError("FORBIDDEN", `${host} is not at a public address`);
			return ["127.0.0.1"];
		});
		// No resolver knows the name: it is connected to where the guard says.
		const named = provider({ baseUrl: `http://embeddings.test:${port}`, fetch: guarded });
		expect(await named.embed(["one"])).toHaveLength(1);
		expect(new Set(looked)).toEqual(new Set(["embeddings.test"]));
		for (const baseUrl of [url, `http://localhost:${port}`]) {
			const refused = provider({ baseUrl, fetch: guarded }).embed(["one"]);
			await expect(refused).rejects.toMatchObject({
				code: "EMBEDDING_FAILED",
				message: expect.stringContaining("not at a public address"),
			});
		}
		expect(asked).toHaveLength(1);
	});

	it("never shows the key, not even where the endpoint repeats it", async () => {
		const apiKey = "sk-secret-123";
		answer = () => ({ status: 401, body: { error: { message: `Incorrect API key: ${apiKey}`, code: apiKey } } });
		const error = await provider({ apiKey })
			.embed(["x"])
			.catch((thrown: unknown) => thrown as Error);
		expect(asked[0]?.authorization).toBe(`Bearer ${apiKey}`);
		const shown = JSON.stringify([error, (error as Error).message, (error as Error).stack, (error as Error).cause]);
		expect(shown).not.toContain("secret");
	});

	it("gives up on an endpoint that does not answer, that is not there, and on an abort", async () => {
		answer = () => ({ hang: true });
		await expect(provider({ timeoutMs: 50 }).embed(["x"])).rejects.toMatchObject({ code: "EMBEDDING_UNAVAILABLE" });
		await expect(provider({ baseUrl: "http://127.0.0.1:1" }).embed(["x"])).rejects.toMatchObject({
			code: "EMBEDDING_UNAVAILABLE",
			message: expect.stringContaining("127.0.0.1:1"),
		});
		const stop = new AbortController();
		const reason = new Error("stopped");
		const running = provider().embed(["x"], stop.signal);
		stop.abort(reason);
		await expect(running).rejects.toBe(reason);
	});
});

it("reads Retry-After in seconds and as a date", () => {
	const now = Date.parse("2026-03-01T00:00:00Z");
	expect(retryAfterMs(null, now)).toBeUndefined();
	expect(retryAfterMs("120", now)).toBe(120_000);
	expect(retryAfterMs(" 1.5 ", now)).toBe(1_500);
	expect(retryAfterMs("Sun, 01 Mar 2026 00:00:30 GMT", now)).toBe(30_000);
	expect(retryAfterMs("Sun, 01 Mar 2020 00:00:30 GMT", now)).toBe(0);
	for (const odd of ["", "-1", "soon", "1e9", "NaN"]) expect(retryAfterMs(odd, now)).toBeUndefined();
});

async function text(request: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	for await (const part of request) parts.push(part as Buffer);
	return Buffer.concat(parts).toString();
}
