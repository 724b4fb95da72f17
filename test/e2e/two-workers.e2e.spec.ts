import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import type { VerifyReport } from "../../src/services/reports.js";
import { openCommander, openReader } from "../../src/wiring.js";
import { cloneCorpus, hasCorpora } from "../support/corpora.js";
import { environment, lodeJson } from "../support/lode-process.js";
import { hasServerProfile, newInstallation, serverProfile } from "../support/server-profile.js";
import { hasServer, useServer } from "../support/servers.js";

const WORKER = fileURLToPath(new URL("../../dist/worker.js", import.meta.url));

/** Real: two worker processes with homes of their own, as on two machines, Temporal, all servers, git. */
describe.runIf(hasServerProfile() && hasServer("temporal") && hasCorpora)("two workers of one installation", () => {
	const workers: ChildProcess[] = [];
	const homes: string[] = [];
	afterEach(async () => {
		for (const worker of workers.splice(0)) {
			worker.kill("SIGTERM");
			if (worker.exitCode === null) await once(worker, "close");
		}
		for (const home of homes.splice(0)) await rm(home, { recursive: true, force: true });
	});

	async function newHome(): Promise<string> {
		const home = await mkdtemp(join(tmpdir(), "lode-home-"));
		homes.push(home);
		return home;
	}

	async function startWorker(env: Record<string, string>): Promise<string> {
		const home = await newHome();
		const worker = spawn(process.execPath, [WORKER], {
			env: environment(home, env),
			stdio: ["ignore", "pipe", "ignore"],
		});
		workers.push(worker);
		await once(worker.stdout as NonNullable<typeof worker.stdout>, "data");
		return home;
	}

	test("share the work of a source, and leave what one alone leaves", async () => {
		const corpus = await cloneCorpus("httpx");
		const temporal = await useServer("temporal");
		const env = {
			...(await serverProfile(temporal.address)),
			TEMPORAL_NAMESPACE: newInstallation(),
			TEMPORAL_TASK_QUEUE: randomUUID(),
		};
		const commits = corpus.commits.slice(-2);
		const both = [await startWorker(env), await startWorker(env)];
		const { config } = loadConfig({ env: { ...env, LODE_HOME: await newHome() }, cwd: "/" });
		const commander = await openCommander(config, { address: temporal.address });
		const reader = await openReader(config);
		try {
			let source = "";
			for (const commit of commits) {
				const report = await commander.ingest(corpus.path, { ref: commit });
				expect(report.files.failed).toBe(0);
				source = report.source;
			}
			// Each read commits for itself: neither sees the other's mirror.
			expect(both.map((home) => existsSync(join(home, "sources", source)))).toEqual([true, true]);
			const shared = await reader.verify({});
			const alone = await newHome();
			await lodeJson(alone, ["ingest", corpus.path, "--ref", commits.at(-1) as string]);
			const expected = await lodeJson<VerifyReport>(alone, ["verify"]);
			expect(shared).toMatchObject({ ok: true, stores: expected.stores });
		} finally {
			await commander.close();
			await reader.close();
			await corpus.remove();
		}
	}, 300_000);
});
