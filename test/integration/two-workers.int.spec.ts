import { randomUUID } from "node:crypto";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ports } from "../../src/activities/ports.js";
import { cloneCorpus, hasCorpora } from "../support/corpora.js";
import { LodeInstance } from "../support/lode-instance.js";
import { hasServerProfile, serverProfile } from "../support/server-profile.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/** Real: two workers with homes of their own on one task queue, all servers, git. As on two machines: neither sees the other's mirrors. */
describe.runIf(hasServerProfile() && hasCorpora)("two workers of one installation", () => {
	let together: TestWorkflowEnvironment;
	let alone: TestWorkflowEnvironment;
	beforeAll(async () => {
		[together, alone] = await Promise.all([temporalEnvironment(), temporalEnvironment()]);
	});
	afterAll(async () => {
		await together?.teardown();
		await alone?.teardown();
	});

	test("share the work of a commit and leave what one alone leaves", async () => {
		const corpus = await cloneCorpus("httpx");
		const opened: LodeInstance[] = [];
		try {
			const commits = corpus.commits.slice(-2);
			const shared = { ...(await serverProfile(together.address)), TEMPORAL_TASK_QUEUE: randomUUID() };
			const mined = [0, 0];
			const counting = (worker: number) => (ports: Ports) => ({
				...ports,
				miner: {
					mine: (...args: Parameters<Ports["miner"]["mine"]>) => {
						mined[worker] = (mined[worker] ?? 0) + args[0].length;
						return ports.miner.mine(...args);
					},
				},
			});
			for (const worker of [0, 1]) {
				opened.push(await LodeInstance.open(together, { env: shared, ports: counting(worker) }));
			}
			const [first, second] = opened as [LodeInstance, LodeInstance];
			expect(second.home).not.toBe(first.home);
			for (const commit of commits) expect((await first.ingest(corpus.path, commit)).files.failed).toBe(0);
			expect(Math.min(...mined)).toBeGreaterThan(0);

			const single = await LodeInstance.open(alone);
			opened.push(single);
			await single.ingest(corpus.path, commits.at(-1));
			const expected = (await single.verified()).stores;
			// Whichever is asked.
			expect((await first.verified()).stores).toEqual(expected);
			expect((await second.verified()).stores).toEqual(expected);
		} finally {
			for (const instance of opened) await instance.close();
			await corpus.remove();
		}
	}, 300_000);
});
