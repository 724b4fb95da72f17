import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { IngestReport, VerifyReport } from "../../src/services/reports.js";
import { cloneCorpus, hasCorpora } from "../support/corpora.js";
import { generateHistory } from "../support/generated-history.js";
import { DevProcess, lodeJson } from "../support/lode-process.js";
import { seededRandom } from "../support/seeded-random.js";

const SEED = Number(process.env.LODE_TEST_SEED ?? 20_261_121);

/** Real: every process (`lode dev`, Temporal, worker, CLI), every store. Faults: SIGKILL. */
describe("crashes", () => {
	const cleanUps: (() => Promise<unknown>)[] = [];
	afterEach(async () => {
		for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
	});

	async function newHome(): Promise<string> {
		const home = await mkdtemp(join(tmpdir(), "lode-crash-"));
		cleanUps.push(() => rm(home, { recursive: true, force: true, maxRetries: 3 }));
		return home;
	}

	async function dev(home: string): Promise<DevProcess> {
		const process = await DevProcess.start(home);
		cleanUps.push(() => process.stop());
		return process;
	}

	/** Ingests the commits in order while processes are killed; returns the digests and how many were killed. */
	async function throughStorm(path: string, commits: readonly string[], killsACommit: number) {
		const random = seededRandom(SEED);
		const home = await newHome();
		const running = await dev(home);
		let kills = 0;
		for (const commit of commits) {
			let done = false;
			// A few kills a commit: more often than a worker starts, nothing could ever be done.
			const faults = (async () => {
				for (let left = killsACommit; left > 0 && !done; left--) {
					await sleep(200 + random() * 2_500);
					if (!done && (await running.kill(random() < 0.75 ? "worker" : "Temporal"))) kills += 1;
				}
			})();
			try {
				await lodeJson<IngestReport>(home, ["ingest", path, "--ref", commit]);
			} finally {
				done = true;
				await faults;
			}
		}
		const { problems, stores } = await lodeJson<VerifyReport>(home, ["verify"]);
		expect(problems).toEqual([]);
		return { kills, stores };
	}

	async function undisturbed(path: string, commit: string) {
		const home = await newHome();
		const running = await dev(home);
		await lodeJson<IngestReport>(home, ["ingest", path, "--ref", commit]);
		const { stores } = await lodeJson<VerifyReport>(home, ["verify"]);
		await running.stop();
		return stores;
	}

	test(`a worker and a server killed at random moments leave the digests of an undisturbed run (seed ${SEED})`, async () => {
		const history = await generateHistory({ seed: SEED, commits: 6, files: 120 });
		cleanUps.push(() => history.remove());
		const expected = await undisturbed(history.path, history.commits.at(-1) as string);
		const { kills, stores } = await throughStorm(history.path, history.commits, 3);
		expect(kills).toBeGreaterThan(2);
		expect(stores).toEqual(expected);
	}, 400_000);

	test.runIf(hasCorpora)(
		`httpx, killed while it is ingested (seed ${SEED})`,
		async () => {
			const corpus = await cloneCorpus("httpx");
			cleanUps.push(() => corpus.remove());
			const commits = corpus.commits.slice(-3);
			const expected = await undisturbed(corpus.path, commits.at(-1) as string);
			const { kills, stores } = await throughStorm(corpus.path, commits, 3);
			expect(kills).toBeGreaterThan(1);
			expect(stores).toEqual(expected);
		},
		400_000,
	);
});
