import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { environment } from "../support/lode-process.js";
import { createShop } from "../support/shop-repository.js";

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
