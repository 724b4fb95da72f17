import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.js";
import { openStores } from "../../src/wiring.js";
import { freePorts } from "../servers/free-ports.js";
import { ApiProcess } from "../support/api-process.js";
import { createRepository, type TestRepository } from "../support/git-repository.js";
import { DevProcess, lodeJson } from "../support/lode-process.js";
import { seededRandom } from "../support/seeded-random.js";
import { deliveries, send } from "../support/webhook-sender.js";

const SEED = Number(process.env.LODE_TEST_SEED ?? 20_261_125);
const SOURCES = Number(process.env.LODE_TEST_SOURCES ?? 3);
const COMMITS = Number(process.env.LODE_TEST_COMMITS ?? 24);
/** Of one commit: the first and its repeats. */
const COPIES = 8;
const CLIENTS = 20;
const SECRET = "a-s3cret-of-the-test";

interface Hook {
	readonly source: number;
	readonly commit: string;
	readonly delivery: string;
}

/**
 * Real: the gateway, the worker and Temporal as processes that are killed with SIGKILL, git, all stores. Senders send each webhook several times,
 * out of order, and never again when it was refused; nothing else looks at the repositories.
 */
describe("webhooks while processes are killed", () => {
	let home: string;
	const repositories: TestRepository[] = [];
	const closing: (() => Promise<unknown>)[] = [];
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "lode-home-"));
	});
	afterEach(async () => {
		for (const close of closing.splice(0).reverse()) await close();
		for (const repository of repositories.splice(0)) await repository.remove();
		await rm(home, { recursive: true, force: true, maxRetries: 3 });
	});

	test(`every one that was answered with 200 has one effect, in order (seed ${SEED})`, async () => {
		const random = seededRandom(SEED);
		const [port] = (await freePorts(1)) as [number];
		const env = {
			LODE_WEBHOOK_PORT: String(port),
			LODE_WEBHOOK_SECRET_GENERIC: SECRET,
			LODE_WEBHOOK_RATE: "10000000",
			LODE_LOG_LEVEL: "error",
		};
		const url = `http://127.0.0.1:${port}`;
		const ids: string[] = [];
		for (let n = 0; n < SOURCES; n += 1) {
			const repository = await createRepository();
			repositories.push(repository);
			await repository.commit({ files: { "a.md": "# first\n" } });
			ids.push((await lodeJson<{ source: string }>(home, ["ingest", repository.path])).source);
		}
		const dev = await DevProcess.start(home);
		closing.push(() => dev.stop());
		let gateway = await ApiProcess.start(home, env, "gateway");
		closing.push(() => gateway.stop());

		let sending = true;
		const killing = (async () => {
			for (let kills = 0; sending; kills += 1) {
				await sleep(500 + random() * 1_500);
				const victim = ["gateway", "worker", "Temporal"][kills % 3] as "gateway" | "worker" | "Temporal";
				if (victim !== "gateway") await dev.kill(victim);
				else {
					await gateway.kill();
					gateway = await ApiProcess.start(home, env, "gateway");
				}
			}
		})();

		const accepted = new Map<string, Hook>();
		let answered = 0;
		let refused = 0;
		const hooks: Hook[] = [];
		async function client(): Promise<void> {
			for (let hook = hooks.pop(); hook !== undefined || sending; hook = hooks.pop()) {
				if (hook === undefined) {
					await sleep(20);
					continue;
				}
				const repository = repositories[hook.source]?.path as string;
				const delivery = deliveries.generic(SECRET, {
					repository,
					branch: "main",
					commit: hook.commit,
					id: hook.delivery,
				});
				const answer = await send(url, delivery).catch(() => undefined);
				if (answer?.status === 200) {
					answered += 1;
					accepted.set(hook.delivery, hook);
				} else refused += 1;
			}
		}
		const clients = Array.from({ length: CLIENTS }, client);
		for (let n = 0; n < COMMITS; n += 1) {
			const source = Math.floor(random() * SOURCES);
			const commit = (await repositories[source]?.commit({ files: { "a.md": `# ${n}\n` } })) as string;
			for (let copy = 0; copy < COPIES; copy += 1) {
				hooks.splice(Math.floor(random() * (hooks.length + 1)), 0, { source, commit, delivery: `d-${n}` });
			}
			await sleep(random() * 400);
		}
		while (hooks.length > 0) await sleep(50);
		sending = false;
		await Promise.all([...clients, killing]);

		const { config } = loadConfig({ env: { LODE_HOME: home }, cwd: "/" });
		const stores = await openStores(config);
		closing.push(() => stores.close());
		const { catalog } = stores.value;
		let [lost, doubled, effects] = [0, 0, 0];
		for (const [source, id] of ids.entries()) {
			const log = (await (repositories[source] as TestRepository).git("log", "--reverse", "--format=%H", "main")).split(
				"\n",
			);
			const last = Math.max(
				0,
				...[...accepted.values()].filter((one) => one.source === source).map((one) => log.indexOf(one.commit)),
			);
			const published = async () =>
				(await catalog.ingestions({ source: id, status: ["published"], limit: 1_000 })).sort((a, b) => a.seq - b.seq);
			// As long as it takes: the test's own time-out ends it.
			while ((await published()).length <= last) await sleep(200);
			const commits = (await published()).map(({ commit }) => commit);
			doubled += commits.length - new Set(commits).size;
			lost += log.slice(0, last + 1).filter((commit) => !commits.includes(commit)).length;
			effects += commits.length - 1;
			// Each commit once, each after its parent.
			expect(commits).toEqual(log.slice(0, commits.length));
		}
		console.log(
			JSON.stringify({
				seed: SEED,
				sent: COMMITS * COPIES,
				answered,
				refused,
				accepted: accepted.size,
				effects,
				doubled,
				lost,
			}),
		);
		expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
		expect(accepted.size).toBeGreaterThan(0);
		await dev.stop();
		await lodeJson(home, ["verify"]);
	}, 400_000);
});
