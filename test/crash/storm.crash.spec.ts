import { describe, expect, test } from "vitest";
import { hasServerProfile } from "../support/server-profile.js";
import { hasServer } from "../support/servers.js";
import { ALL_FAULTS, type CrashOptions, commandOf, DEFAULTS } from "./driver/options.js";
import { describe as inWords } from "./driver/report.js";
import { runCrash } from "./driver/run-crash.js";

const SEED = Number(process.env.LODE_TEST_SEED ?? 20_261_127);

/** Small enough for every day; `npm run test:crash` is the same with other sizes. */
const SMALL: CrashOptions = {
	...DEFAULTS,
	seed: SEED,
	sources: 2,
	commits: 16,
	webhooks: 160,
	paceMs: 800,
	everyMs: 500,
	patienceMs: 90_000,
};

/**
 * Real: the gateway, `lode dev`, the worker, Temporal and the stores, as processes that the driver kills, stops and starves; git. Senders send each
 * webhook once, whatever comes of it.
 */
describe("webhooks through a storm of faults", () => {
	async function weathers(options: CrashOptions): Promise<void> {
		const report = await runCrash(options);
		console.log(inWords(report, options));
		expect(report.problems, commandOf(options)).toEqual([]);
		expect(report.accepted, "webhooks were accepted").toBeGreaterThan(0);
		expect(report.effects + report.covered).toBe(report.commits);
		expect(Object.keys(report.faults).length).toBeGreaterThan(2);
	}

	test(`embedded: faults of every kind, one effect a receipt, in order, the digests of a calm run (seed ${SEED})`, async () => {
		await weathers({ ...SMALL, faults: ALL_FAULTS, minFaults: 9 });
	}, 400_000);

	test.runIf(hasServerProfile() && hasServer("temporal"))(
		`servers: processes and stores that are killed, stopped, slow and broken (seed ${SEED})`,
		async () => {
			await weathers({
				...SMALL,
				profile: "servers",
				commits: 10,
				webhooks: 100,
				faults: ["kill", "stop", "slow"],
				minFaults: 4,
			});
		},
		400_000,
	);
});
