import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { environment } from "../support/lode-process.js";
import { createShop, type Shop } from "../support/shop-repository.js";

/** Real: the built `lode dev`, with everything that it starts. */

const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Dev {
	readonly child: ChildProcess;
	readonly ready: { readonly apiUrl: string | null; readonly address: string };
	said(): string;
}

async function dev(port: number): Promise<Dev> {
	const home = await mkdtemp(join(tmpdir(), "lode-home-"));
	cleanUps.push(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
	const child = spawn(process.execPath, [MAIN, "dev", "--json"], {
		env: environment(home, { LODE_API_PORT: String(port) }),
		stdio: ["ignore", "pipe", "pipe"],
	});
	cleanUps.push(() => stop(child));
	let stderr = "";
	child.stderr.on("data", (data) => {
		stderr += data;
	});
	const [line] = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
	if (typeof line === "number" || line === null) throw new Error(stderr);
	return { child, ready: JSON.parse(String(line)), said: () => stderr };
}

async function stop(child: ChildProcess): Promise<number | null> {
	if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
	child.kill("SIGTERM");
	return (await once(child, "close"))[0] as number | null;
}

test("lode dev serves the API, whose writes its worker does, and goes on without it where the port is taken", async () => {
	const shop = await createShop();
	cleanUps.push(() => shop.remove());
	const { child, ready } = await dev(0);
	const url = ready.apiUrl as string;
	const query = "mutation($target: String!) { ingest(target: $target, timeout: 90) { status result workflowUrl } }";
	const answer = await fetch(`${url}/graphql`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ query, variables: { target: shop.path } }),
	});
	expect(await answer.json()).toMatchObject({
		data: {
			ingest: { status: "SUCCEEDED", result: { snapshot: 1 }, workflowUrl: expect.stringContaining("/namespaces/") },
		},
	});
	expect((await fetch(`${url}/graphql/explorer/`)).status).toBe(200);

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
