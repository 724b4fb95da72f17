import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { IngestReport, VerifyReport } from "../../src/services/reports.js";
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

	test(`a worker and a server killed at random moments leave the digests of an undisturbed run (seed ${SEED})`, async () => {
		const random = seededRandom(SEED);
		const history = await generateHistory({ seed: SEED, commits: 6, files: 120 });
		cleanUps.push(() => history.remove());

		const calm = await newHome();
		const calmDev = await dev(calm);
		await lodeJson<IngestReport>(calm, ["ingest", history.path, "--ref", history.commits.at(-1) as string]);
		const expected = await lodeJson<VerifyReport>(calm, ["verify"]);
		await calmDev.stop();

		const stormy = await newHome();
		const stormyDev = await dev(stormy);
		let kills = 0;
		for (const commit of history.commits) {
			let done = false;
			// A few kills a commit: more often than a worker starts, nothing could ever be done.
			const faults = (async () => {
				for (let left = 3; left > 0 && !done; left--) {
					await sleep(200 + random() * 2_500);
					if (!done && (await stormyDev.kill(random() < 0.75 ? "worker" : "Temporal"))) kills += 1;
				}
			})();
			try {
				await lodeJson<IngestReport>(stormy, ["ingest", history.path, "--ref", commit]);
			} finally {
				done = true;
				await faults;
			}
		}
		const found = await lodeJson<VerifyReport>(stormy, ["verify"]);
		expect(kills).toBeGreaterThan(2);
		expect(found.problems).toEqual([]);
		expect(found.stores).toEqual(expected.stores);
	}, 400_000);
});
