import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { environment } from "../support/lode-process.js";
import { documentedMetrics, exposedMetrics } from "../support/metrics-page.js";
import { OtlpCollector } from "../support/otlp-collector.js";
import { createShop, type Shop } from "../support/shop-repository.js";

/** Real: the built `lode dev`, with everything that it starts. */

const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Dev {
	readonly child: ChildProcess;
	readonly home: string;
	readonly ready: { readonly apiUrl: string | null; readonly address: string };
	said(): string;
}

async function dev(port: number, extra: Record<string, string> = {}): Promise<Dev> {
	const home = await mkdtemp(join(tmpdir(), "lode-home-"));
	cleanUps.push(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
	const child = spawn(process.execPath, [MAIN, "dev", "--json"], {
		env: environment(home, { LODE_API_PORT: String(port), ...extra }),
		stdio: ["ignore", "pipe", "pipe"],
	});
	cleanUps.push(() => stop(child));
	let stderr = "";
	child.stderr.on("data", (data) => {
		stderr += data;
	});
	const [line] = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
	if (typeof line === "number" || line === null) throw new Error(stderr);
	return { child, home, ready: JSON.parse(String(line)), said: () => stderr };
}

async function stop(child: ChildProcess): Promise<number | null> {
	if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
	child.kill("SIGTERM");
	return (await once(child, "close"))[0] as number | null;
}

test("lode dev serves the API, whose writes its worker does, and goes on without it where the port is taken", async () => {
	const shop = await createShop();
	cleanUps.push(() => shop.remove());
	const collector = await OtlpCollector.open();
	cleanUps.push(() => collector.close());
	const { child, ready, home } = await dev(0, {
		LODE_METRICS_WORKER_PORT: "0",
		OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
		OTEL_EXPORTER_OTLP_HEADERS: "authorization=s3cret-of-the-collector",
	});
	const url = ready.apiUrl as string;
	const query = "mutation($target: String!) { ingest(target: $target, timeout: 90) { status result workflowUrl } }";
	const answer = await fetch(`${url}/graphql`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ query, variables: { target: shop.path } }),
	});
	expect(await answer.json()).toMatchObject({
		data: {
			ingest: {
				status: "SUCCEEDED",
				result: { snapshot: 1 },
				workflowUrl: expect.stringMatching(/\/namespaces\/[^/]+\/workflows\/ingest%2F/),
			},
		},
	});
	expect((await fetch(`${url}/graphql/explorer/`)).status).toBe(200);
	await tellsOfItself(url, await readFile(join(home, "logs", "worker.log"), "utf8"));

	await searchWhileCommitsCome(url, shop);

	const taken: Server = createServer().listen(0, "127.0.0.1");
	await once(taken, "listening");
	cleanUps.push(() => taken.close());
	const { port } = taken.address() as { port: number };
	const other = await dev(port);
	expect(other.ready.apiUrl).toBeNull();
	expect(other.said()).toMatch(/The API does not run:.*LODE_API_PORT/s);
	expect(await stop(other.child)).toBe(0);
	expect(await stop(child)).toBe(0);
	await expect(fetch(url)).rejects.toThrow();
	// What had not been sent was, before they ended.
	const services = ["publish", "POST /graphql"].map((name) => collector.spans.find((span) => span.name.endsWith(name)));
	expect(services.map((span) => span?.service)).toEqual(["lode-worker", "lode-api"]);
	expect(services[0]?.traceId).toBe(services[1]?.traceId);
	expect(collector.authorizations).toEqual(new Set(["s3cret-of-the-collector"]));
	const logs = await Promise.all(["worker", "api"].map((name) => readFile(join(home, "logs", `${name}.log`), "utf8")));
	expect(logs.join("")).not.toContain("s3cret");
});

const CONCURRENT = 200;
const ROUNDS = 2;

/** Every answer is one published version in full, however many ask while the next one is made. */
async function searchWhileCommitsCome(url: string, shop: Shop): Promise<void> {
	const search = async () => {
		const answer = await fetch(`${url}/api/v1/search?q=marker&path=src/marker-*.ts&limit=20`);
		return { status: answer.status, body: (await answer.json()) as { snapshot: number; hits: { text: string }[] } };
	};
	const seen = new Map<number, Set<string>>();
	for (let round = 1; round <= ROUNDS; round += 1) {
		const texts = (n: number) => [`src/marker-${n}.ts`, `export const marker${n} = "round ${round}";\n`] as const;
		await shop.commit({ message: `Round ${round}`, files: [0, 1, 2, 3, 4].map(texts) });
		const query = "mutation($target: String!) { ingest(target: $target, timeout: 90) { status } }";
		const body = JSON.stringify({ query, variables: { target: shop.path } });
		const ingested = fetch(`${url}/graphql`, { method: "POST", headers: { "content-type": "application/json" }, body });
		for (const { status, body } of await Promise.all(Array.from({ length: CONCURRENT }, search))) {
			expect(status).toBe(200);
			const rounds = new Set(body.hits.map(({ text }) => /round \d/.exec(text)?.[0] ?? text));
			expect([0, 5]).toContain(body.hits.length);
			expect(rounds.size).toBe(body.hits.length === 0 ? 0 : 1);
			const told = seen.get(body.snapshot) ?? new Set();
			seen.set(body.snapshot, new Set([...told, ...rounds]));
		}
		expect(await (await ingested).json()).toEqual({ data: { ingest: { status: "SUCCEEDED" } } });
	}
	for (const rounds of seen.values()) expect(rounds.size).toBeLessThanOrEqual(1);
	expect((await search()).body.hits).toHaveLength(5);
}

/** Every metric of both processes is explained, and the worker's page has what Temporal's SDK measured. */
async function tellsOfItself(url: string, log: string): Promise<void> {
	const page = /"url":"(http:[^"]+\/metrics)"/.exec(log)?.[1] as string;
	const documented = await documentedMetrics();
	const [api, worker] = await Promise.all(
		[`${url}/metrics`, page].map(async (each) => exposedMetrics(await (await fetch(each)).text())),
	);
	for (const metrics of [api, worker]) {
		for (const { name, type, labels } of metrics?.values() ?? []) {
			const said = documented.get(name);
			expect([name, said?.type]).toEqual([name, type]);
			expect([name, [...labels].filter((label) => !said?.labels.includes(label))]).toEqual([name, []]);
		}
	}
	const completed = worker?.get("temporal_workflow_completed_total")?.samples ?? [];
	expect(completed.find(({ labels }) => labels.workflow_type === "ingestCommit")?.value).toBe(1);
	expect(worker?.get("temporal_num_pollers")?.samples.length).toBeGreaterThan(0);
}
