import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ApiProcess } from "../support/api-process.js";
import { lodeJson } from "../support/lode-process.js";
import { createShop } from "../support/shop-repository.js";

/** Real: the built API as a process, the built CLI, Temporal, all stores of the embedded profile. */
describe("the HTTP API", () => {
	let home: string;
	let repository: Awaited<ReturnType<typeof createShop>>;
	const running: ApiProcess[] = [];
	beforeAll(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
		repository = await createShop();
		for (const ref of repository.commits) await lodeJson(home, ["ingest", repository.path, "--ref", ref]);
	});
	afterAll(async () => {
		await repository?.remove();
		await rm(home, { recursive: true, force: true });
	});
	afterEach(async () => {
		for (const api of running.splice(0)) await api.stop();
	});

	async function start(extra: Record<string, string> = {}): Promise<ApiProcess> {
		const api = await ApiProcess.start(home, extra);
		running.push(api);
		return api;
	}

	test("a search takes every option, and refuses what is none", async () => {
		const api = await start();
		const rules = "rule=code%3Dsrc%2F**&rule=dbt%3Dmodels%2F**";
		const asked = `groupBy=custom&${rules}&context=true&provenance=true&limit=20`;
		const found = await api.get(`/api/v1/search?q=orders&${asked}`);
		expect(found.status).toBe(200);
		const keys = found.body.groups.map(({ key }: { key: string }) => key);
		expect(keys).toEqual(expect.arrayContaining(["code", "dbt"]));
		const [hit] = found.body.hits;
		expect(hit.context.entity).toMatchObject({ key: expect.any(String), kind: expect.any(String) });
		expect(hit.provenance).toMatchObject({ ingestion: expect.any(String), workflowId: expect.any(String) });
		const like = await api.get("/api/v1/search?like=src%2Forders.ts&language=sql,markdown&since=1");
		expect(like).toMatchObject({ status: 200 });
		for (const wrong of [
			"",
			"q=a&like=b",
			"q=a&groupBy=size",
			"q=a&rule=x%3Dy",
			"q=a&groupBy=custom&rule=x",
			"q=a&context=maybe",
		])
			expect((await api.get(`/api/v1/search?${wrong}`)).status, wrong).toBe(400);
	});

	test("an end in order loses no search from the events", async () => {
		const api = await start();
		const since = new Date().toISOString();
		const answers = await Promise.all(
			Array.from({ length: 60 }, (_, n) => api.get(`/api/v1/search?q=orders+number+${n}&limit=2`)),
		);
		expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
		await api.stop();
		const { replayed, changed, leftOut } = await lodeJson<Record<string, unknown>>(home, [
			...["search", "replay", "--since", since],
		]);
		expect({ replayed, changed, leftOut }).toEqual({
			replayed: 60,
			changed: 0,
			leftOut: { withoutText: 0, withoutAnswer: 0, older: 0 },
		});
	});

	test("is ready when the stores answer, and says the same as the command line", async () => {
		const api = await start();
		expect(api.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
		expect(await api.get("/health/live")).toMatchObject({ status: 200, body: { status: "live" } });
		const ready = await api.get("/health/ready");
		expect(ready).toMatchObject({ status: 200, body: { status: "ready" } });
		expect(ready.body.stores.map(({ name }: { name: string }) => name)).toEqual([
			"catalog",
			"graph",
			"vectors",
			"artifacts",
		]);

		const { sources } = await lodeJson<{ sources: { id: string }[] }>(home, ["sources", "--no-lag"]);
		const id = sources[0]?.id as string;
		expect((await api.get("/api/v1/sources")).body).toEqual({ sources });
		const behind = await lodeJson<{ sources: { lag: unknown }[] }>(home, ["sources"]);
		expect(behind.sources[0]?.lag).toMatchObject({ status: "current", head: repository.commits[2], problem: null });
		expect((await api.get("/api/v1/sources?lag=true")).body).toEqual(behind);
		const cli = await lodeJson<{ hits: unknown }>(home, [
			"search",
			"orders of a customer",
			"--limit",
			"3",
			"--at",
			"1",
		]);
		const found = await api.get("/api/v1/search?q=orders+of+a+customer&limit=3&at=1");
		expect(found.status).toBe(200);
		expect(found.body.hits).toEqual(cli.hits);
		expect(found.body.hits.length).toBeGreaterThan(0);
		expect((await api.get(`/api/v1/graph?entity=customers&depth=2&source=${id}`)).body).toEqual(
			await lodeJson(home, ["graph", "show", "customers", "--depth", "2", "--source", id]),
		);
		expect((await api.get(`/api/v1/diff?source=${id}&from=1&to=2`)).body).toEqual(
			await lodeJson(home, ["diff", id, "1", "2"]),
		);
		const { body: status } = await api.get("/api/v1/ingestions");
		expect(status.ingestions).toHaveLength(repository.commits.length);
		const one = await api.get(`/api/v1/ingestions/${status.ingestions[0].id}`);
		expect(one.body.ingestions[0]).toEqual(status.ingestions[0]);
	});

	test("answers what is wrong with problem details, and nothing of itself", async () => {
		const api = await start();
		const problem = async (path: string) => {
			const { status, headers, body } = await api.get(path);
			expect(headers.get("content-type")).toContain("application/problem+json");
			expect(body).toMatchObject({ status, detail: expect.any(String), title: expect.any(String) });
			expect(JSON.stringify(body)).not.toMatch(/node_modules|\.js:\d|at .*\(/);
			return [status, body.code, body.detail];
		};
		expect(await problem("/api/v1/search")).toEqual([400, "USAGE", "q: must be given once, or like instead of it"]);
		expect(await problem("/api/v1/search?q=a&q=b")).toEqual([400, "USAGE", "q: must be given once"]);
		const several = await problem("/api/v1/search?q=a&limit=0&kind=nonsense&x=1");
		expect(several[2]).toMatch(/kind: must be of .*limit: must be a whole number.*x/s);
		expect(await problem("/api/v1/sources?lag=yes")).toMatchObject([400, "USAGE", expect.stringContaining("lag")]);
		expect(await problem("/api/v1/search?q=a&at=never")).toMatchObject([400, "USAGE", expect.any(String)]);
		expect((await problem("/api/v1/search?q=a&at=99"))[0]).toBe(404);
		expect((await problem("/api/v1/graph?entity=no-such-thing")).slice(0, 2)).toEqual([404, "ENTITY_NOT_FOUND"]);
		expect((await problem("/api/v1/diff?source=nowhere&from=1&to=2"))[0]).toBe(404);
		expect((await problem("/api/v1/ingestions/ing-999")).slice(0, 2)).toEqual([404, "INGESTION_NOT_FOUND"]);
		expect((await problem("/nowhere"))[0]).toBe(404);
		expect((await problem("/api/v1/ingestions/%ff"))[0]).toBe(400);
	});

	test("answers with security headers, and only to names of this machine", async () => {
		const api = await start();
		const { headers } = await api.get("/health/live");
		expect(headers.get("x-content-type-options")).toBe("nosniff");
		expect(headers.get("content-security-policy")).toContain("default-src 'self'");
		expect(headers.get("x-powered-by")).toBeNull();
		const asked = (host: string) =>
			new Promise<number | undefined>((resolve, reject) => {
				http
					.get(`${api.url}/api/v1/sources`, { headers: { host } }, (answer) => resolve(answer.resume().statusCode))
					.on("error", reject);
			});
		expect(await asked("localhost:8480")).toBe(200);
		expect(await asked("evil.example")).toBe(421);
		expect(await asked("127.0.0.1.evil.example")).toBe(421);
	});

	test("listens beyond this machine only when it is told that it may", async () => {
		await expect(start({ LODE_API_HOST: "0.0.0.0" })).rejects.toThrow(
			/exit 2: CONFIG_INVALID: LODE_API_HOST.*\n.*LODE_API_ALLOW_ANONYMOUS/,
		);
		const api = await start({ LODE_API_HOST: "0.0.0.0", LODE_API_ALLOW_ANONYMOUS: "true" });
		expect((await fetch(`http://127.0.0.1:${new URL(api.url).port}/health/live`)).status).toBe(200);
		const port = new URL(api.url).port;
		await expect(start({ LODE_API_PORT: port })).rejects.toThrow(/exit 1: EADDRINUSE.*\n.*LODE_API_PORT/s);
	});

	test("lives while a store is away, says so, and leaks no secret", async () => {
		const api = await start({
			LODE_CATALOG: "postgres",
			LODE_POSTGRES_URL: "postgres://lode@127.0.0.1:1/lode",
			LODE_POSTGRES_PASSWORD: "s3cret-value",
		});
		expect((await api.get("/health/live")).status).toBe(200);
		const ready = await api.get("/health/ready");
		expect(ready.status).toBe(503);
		expect(ready.headers.get("retry-after")).toBe("5");
		expect(["starting", "unavailable"]).toContain(ready.body.status);
		const search = await api.get("/api/v1/search?q=a");
		expect(search).toMatchObject({ status: 503, body: { code: "STORE_UNAVAILABLE" } });
		expect(Number(search.headers.get("retry-after"))).toBeGreaterThan(0);
		expect(await api.stop()).toBe(0);
		expect(api.stderr + JSON.stringify([ready.body, search.body])).not.toContain("s3cret-value");
	});

	test("ends what it is answering and then itself when it is told to stop", async () => {
		const api = await start();
		const answers = Array.from({ length: 20 }, () => api.get("/api/v1/search?q=customers"));
		await Promise.race(answers);
		const stopped = api.stop();
		const settled = await Promise.allSettled(answers);
		// What was accepted is answered, with 503 at worst; what came later finds nobody.
		for (const result of settled) {
			if (result.status === "fulfilled") expect([200, 503]).toContain(result.value.status);
		}
		expect(settled.some((result) => result.status === "fulfilled" && result.value.status === 200)).toBe(true);
		expect(await stopped).toBe(0);
	});
});
