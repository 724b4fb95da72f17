import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Config, loadConfig } from "../../src/config/config.js";
import { exists, processIdentity } from "../../src/runtime/process-identity.js";
import { type Runtime, runningRuntime, withRuntime } from "../../src/runtime/runtime.js";
import { RunFolder } from "../../src/runtime/runtime-file.js";
import { temporalAnswers } from "../../temporal/server/ready.js";
import { ensureSearchAttributes, SEARCH_ATTRIBUTES } from "../../temporal/server/search-attributes.js";

/** Real: the Temporal server, the processes, the files. Stand-in: what the worker does (test/support/supervised-worker.mjs). */

const CACHE = process.env.LODE_CACHE_DIR ? { LODE_CACHE_DIR: process.env.LODE_CACHE_DIR } : {};
const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));
const workerEntry = support("supervised-worker.mjs");

let home: string;
let journal: string;
let config: Config;
let lines: string[];
const owners: ChildProcess[] = [];

beforeEach(() => {
	// Blanks and URL characters: the server builds a URL of its database's name.
	home = join(mkdtempSync(join(tmpdir(), "lode runtime-")), "a?b%20");
	journal = join(home, "..", "journal");
	writeFileSync(journal, "");
	process.env.JOURNAL = journal;
	config = loadConfig({ env: { LODE_HOME: home, ...CACHE }, cwd: tmpdir() }).config;
	lines = [];
});
afterEach(async () => {
	for (const owner of owners.splice(0)) owner.kill("SIGKILL");
	await new RunFolder(home).endLeftovers();
	delete process.env.JOURNAL;
	delete process.env.CRASH;
	rmSync(join(home, ".."), { recursive: true, force: true, maxRetries: 5 });
});

const report = (line: string) => void lines.push(line);
const noted = (what: string) =>
	readFileSync(journal, "utf8")
		.split("\n")
		.filter((line) => line.includes(` ${what}`));

async function until<T>(what: string, get: () => T | Promise<T>): Promise<NonNullable<T> & {}> {
	for (let tries = 0; tries < 600; tries += 1) {
		const value = await get();
		if (value) return value;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`waited in vain until ${what}: ${lines.join(" | ")}`);
}

const children = (): { name: string; pid: number; identity: string }[] =>
	JSON.parse(readFileSync(join(home, "run", "children.json"), "utf8")).children;
const child = (name: string) => children().find((entry) => entry.name === name);

/** Another process that owns the runtime. */
function owner(): { process: ChildProcess; runtime: Promise<Runtime>; ended: Promise<number | null> } {
	const started = spawn(process.execPath, [support("runtime-owner.mjs")], {
		env: { ...process.env, LODE_HOME: home, JOURNAL: journal },
		stdio: ["ignore", "pipe", "pipe"],
	});
	owners.push(started);
	const ended = new Promise<number | null>((resolve) => started.once("exit", resolve));
	started.stderr.setEncoding("utf8").on("data", (text: string) => lines.push(`owner: ${text.trim()}`));
	const runtime = new Promise<Runtime>((resolve, reject) => {
		started.stdout.setEncoding("utf8").on("data", (text: string) => {
			for (const line of text.split("\n").filter((part) => part.includes('"runtime"')))
				resolve(JSON.parse(line).runtime);
		});
		void ended.then((code) => reject(new Error(`the owner ended with ${code}: ${lines.join(" | ")}`)));
	});
	return { process: started, runtime, ended };
}

describe("the runtime", () => {
	it("starts Temporal and a worker, and leaves no process and no record behind", async () => {
		const pids = await withRuntime(
			config,
			report,
			async (runtime) => {
				expect(runtime.owned).toBe(true);
				expect(await temporalAnswers({ address: runtime.address, namespace: "default" })).toBe(true);
				expect((await fetch(runtime.uiAddress as string)).status).toBe(200);
				expect(noted("start")).toEqual([expect.stringContaining(runtime.address)]);
				expect(await runningRuntime(home)).toMatchObject({
					pid: process.pid,
					address: runtime.address,
					owner: "ingest",
				});
				return children().map(({ pid }) => pid);
			},
			{ workerEntry },
		);
		expect(pids).toHaveLength(2);
		expect(pids.filter(exists)).toEqual([]);
		expect(noted("shutdown")).toHaveLength(1);
		expect(await runningRuntime(home)).toBeUndefined();
	});

	it("has the search attributes, also on a database that lost them", async () => {
		const names = async (address: string) => {
			const connection = await Connection.connect({ address });
			try {
				const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: "default" });
				return Object.keys(customAttributes ?? {}).sort();
			} finally {
				await connection.close();
			}
		};
		const expected = Object.keys(SEARCH_ATTRIBUTES).sort();
		await withRuntime(
			config,
			report,
			async ({ address }) => {
				expect(await names(address)).toEqual(expected);
				const connection = await Connection.connect({ address });
				await connection.operatorService.removeSearchAttributes({
					namespace: "default",
					searchAttributes: ["LodeStage"],
				});
				expect(await names(address)).not.toContain("LodeStage");
				await ensureSearchAttributes(connection, "default", report);
				expect(await names(address)).toEqual(expected);
				await connection.close();
			},
			{ workerEntry },
		);
	});

	it("restarts either when it is killed, at the same address, with what was on disk", async () => {
		await withRuntime(
			config,
			report,
			async ({ address }) => {
				const connection = await Connection.connect({ address });
				await new Client({ connection }).workflow.start("none", { taskQueue: "none", workflowId: "kept" });
				await connection.close();

				const before = child("Temporal")?.pid as number;
				process.kill(before, "SIGKILL");
				await until("Temporal has another process", () => (child("Temporal")?.pid ?? before) !== before);
				await until("Temporal runs again", () => lines.includes("Temporal is running again"));
				const again = await Connection.connect({ address });
				expect((await new Client({ connection: again }).workflow.getHandle("kept").describe()).workflowId).toBe("kept");
				await again.close();

				process.kill(child("worker")?.pid as number, "SIGKILL");
				await until("the worker runs again", () => lines.includes("worker is running again"));
				expect(noted("start")).toHaveLength(2);
			},
			{ workerEntry },
		);
	});

	it("says why the worker does not start, and stops Temporal", async () => {
		process.env.CRASH = "yes";
		const error = await withRuntime(config, report, async () => undefined, { workerEntry }).catch((thrown) => thrown);
		expect(error.message).toContain("worker did not start (code 7): the worker has no luck");
		expect(error.next).toContain("worker.log");
		expect(noted("start")).toHaveLength(3);
		expect(children()).toEqual([]);
	});

	it("is shared: a second process joins, and the owner waits for it", async () => {
		const first = owner();
		const theirs = await first.runtime;
		await withRuntime(
			config,
			report,
			async (mine) => {
				expect(mine).toEqual({ ...theirs, owned: false });
				first.process.kill("SIGINT");
				await until("the owner waits", () => lines.some((line) => line.includes("Waiting for 1 other command")));
				expect(await temporalAnswers({ address: mine.address, namespace: "default" })).toBe(true);
			},
			{ workerEntry },
		);
		expect(await first.ended).toBe(0);
		expect(await temporalAnswers({ address: theirs.address, namespace: "default" })).toBe(false);
		expect(noted("start")).toHaveLength(1);
	});

	it("leaves no process behind when the owner is killed", async () => {
		const first = owner();
		await first.runtime;
		const left = children();
		first.process.kill("SIGKILL");
		await until("all have ended", async () =>
			(await Promise.all(left.map(({ pid }) => processIdentity(pid)))).every((identity) => !identity),
		);
		expect(noted("shutdown")).toHaveLength(1);
	});

	it("takes over after owner and worker were killed, ending the server they left, and nobody else", async () => {
		const first = owner();
		await first.runtime;
		const [server, worker] = [child("Temporal"), child("worker")];
		first.process.kill("SIGSTOP");
		process.kill(worker?.pid as number, "SIGKILL");
		first.process.kill("SIGKILL");
		await first.ended;
		expect(await processIdentity(server?.pid as number)).toBe(server?.identity);
		// A recorded number that has become somebody else's.
		const file = join(home, "run", "children.json");
		const recorded = JSON.parse(readFileSync(file, "utf8"));
		const bystander = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
		owners.push(bystander);
		recorded.children.push({ name: "other", pid: bystander.pid, identity: "another time" });
		writeFileSync(file, JSON.stringify(recorded));

		await withRuntime(
			config,
			report,
			async (runtime) => {
				expect(runtime.owned).toBe(true);
				expect(await processIdentity(server?.pid as number)).toBeUndefined();
				expect(exists(bystander.pid as number)).toBe(true);
			},
			{ workerEntry },
		);
		expect(lines.join()).toContain("Ended what an earlier run had left behind: Temporal");
	});

	it("starts only a worker for a server of somebody else", async () => {
		await withRuntime(
			config,
			report,
			async ({ address }) => {
				const other = join(home, "..", "other");
				const own = loadConfig({
					env: { LODE_HOME: other, TEMPORAL_ADDRESS: address, ...CACHE },
					cwd: tmpdir(),
				}).config;
				await withRuntime(
					own,
					report,
					async (runtime) => {
						expect(runtime).toEqual({ address, uiAddress: null, owned: true, pid: process.pid });
						const recorded = JSON.parse(readFileSync(join(other, "run", "children.json"), "utf8"));
						expect(recorded.children.map(({ name }: { name: string }) => name)).toEqual(["worker"]);
					},
					{ workerEntry },
				);
				expect(await temporalAnswers({ address, namespace: "default" })).toBe(true);
			},
			{ workerEntry },
		);
	});

	it("can be stopped while it starts", async () => {
		const stop = new AbortController();
		const starting = until("Temporal starts", () => existsSync(join(home, "run", "children.json")));
		const open = withRuntime(config, report, async () => undefined, { workerEntry, signal: stop.signal });
		const [error] = await Promise.all([open.catch((thrown) => thrown), starting.then(() => stop.abort())]);
		expect(error.code).toBe("CANCELLED");
		expect(children()).toEqual([]);
	});
});
