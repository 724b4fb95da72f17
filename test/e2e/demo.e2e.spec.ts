import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setInterval as every } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { createRepository } from "../support/git-repository.js";

/** Real: what `npm run demo` runs, on a copy of a part of this project. */

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** What the demo's questions are about. */
const PARTS = ["package.json", "src/domain", "src/runtime", "src/stores/sqlite", "src/stores/vectors/text"];

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A built checkout, small and without any `.git`. */
async function checkout(at?: string): Promise<string> {
	const folder = at ?? (await mkdtemp(join(tmpdir(), "lode-demo-checkout-")));
	cleanUps.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
	for (const part of [...PARTS, "dist"]) {
		await mkdir(dirname(join(folder, part)), { recursive: true });
		await cp(join(ROOT, part), join(folder, part), { recursive: true });
	}
	await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction");
	await writeFile(join(folder, ".gitignore"), "node_modules\ndist/\n");
	return folder;
}

interface DemoRun {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** Every child that it ever recorded. */
	readonly children: ReadonlySet<number>;
}

async function runDemo(folder: string): Promise<DemoRun> {
	const home = await mkdtemp(join(tmpdir(), "lode-demo-home-"));
	cleanUps.push(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
	const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
		scripts: { demo: string };
	};
	const [program, ...args] = scripts.demo.split(" ");
	expect(program).toBe("node");
	const inherited = Object.entries(process.env).filter(
		([name]) => !/^(LODE_(?!CACHE_DIR)|TEMPORAL_|VITEST)/.test(name),
	);
	const child = spawn(process.execPath, args, {
		cwd: folder,
		env: { ...Object.fromEntries(inherited), LODE_HOME: home },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (data) => {
		stdout += data;
	});
	child.stderr.on("data", (data) => {
		stderr += data;
	});
	const closed = once(child, "close") as Promise<[number | null]>;
	const children = new Set<number>();
	const watched = new AbortController();
	const watching = (async () => {
		for await (const _ of every(50, undefined, { signal: watched.signal })) {
			const recorded = await readFile(join(home, "run", "children.json"), "utf8").catch(() => '{"children":[]}');
			for (const { pid } of (JSON.parse(recorded) as { children: { pid: number }[] }).children) children.add(pid);
		}
	})().catch(() => undefined);
	const [code] = await closed;
	watched.abort();
	await watching;
	return { code, stdout, stderr, children };
}

function alive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

function listens(url: string): Promise<boolean> {
	const { hostname, port } = new URL(url);
	return new Promise((resolve) => {
		const socket = createConnection({ host: hostname, port: Number(port) });
		socket.once("connect", () => resolve(true));
		socket.once("error", () => resolve(false));
		socket.once("connect", () => socket.destroy());
	});
}

async function expectWholeDemo({ code, stdout, stderr, children }: DemoRun): Promise<void> {
	expect(code, stderr).toBe(0);
	const ui = /Temporal Web UI, while this runs: (http:\/\/127\.0\.0\.1:\d+)/.exec(stdout)?.[1];
	expect(ui).toMatch(/^http:/);
	expect(stderr).toMatch(/mining files/);
	expect(stdout).toMatch(/^Published .* as snapshot 1 in /m);
	expect(stdout.match(/^\$ lode search /gm)).toHaveLength(3);
	expect(stdout.match(/^3 hits in snapshot 1, ranked with lexical-v1-384/gm)).toHaveLength(3);
	expect(stdout).toMatch(/^\$ lode graph show isVisible\n+isVisible {2}symbol/m);
	expect(stdout).toMatch(/isVisible \(symbol\) +CALLS +isCommitted \(symbol\)/);
	expect(stdout).toMatch(/^GraphQL: http:\/\/127\.0\.0\.1:\d+\/graphql$/m);
	expect(stdout).toMatch(/^\{"entity":\{"entity":\{"kind":"SYMBOL".*"isCommitted"/m);
	expect(stdout).toMatch(/^REST: GET http:\/\/127\.0\.0\.1:\d+\/api\/v1\/search/m);
	expect(stdout).toMatch(/^\{"snapshot":1,"hits":\[\{"path":"[^"]+"/m);
	const api = /^REST: GET (http:\/\/[^/]+)/m.exec(stdout)?.[1] as string;
	expect(await listens(api)).toBe(false);
	expect(children.size).toBe(2);
	expect([...children].filter(alive)).toEqual([]);
	expect(await listens(ui as string)).toBe(false);
}

describe("npm run demo", () => {
	test("ingests a checkout with history at its commit", async () => {
		const repository = await createRepository();
		cleanUps.push(() => repository.remove());
		const folder = await checkout(repository.path);
		await repository.git("add", ".");
		await repository.git("commit", "--quiet", "--message", "Everything");
		const head = await repository.git("rev-parse", "HEAD");
		const run = await runDemo(folder);
		await expectWholeDemo(run);
		expect(run.stdout).toContain(` at ${head.slice(0, 10)} as snapshot 1`);
		// As the commit has it: without dist.
		expect(run.stdout).not.toMatch(/^dist\//m);
	});

	test("ingests a folder without .git as it lies", async () => {
		await expectWholeDemo(await runDemo(await checkout()));
	});

	test("ingests a checkout without a commit as it lies", async () => {
		const repository = await createRepository();
		cleanUps.push(() => repository.remove());
		await expectWholeDemo(await runDemo(await checkout(repository.path)));
	});
});
