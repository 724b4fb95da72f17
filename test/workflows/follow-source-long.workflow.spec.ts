import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { WithStartWorkflowOperation, type WorkflowHandle } from "@temporalio/client";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activities } from "../../src/activities/activities.js";
import {
	followStateQuery,
	ingestUpdate,
	refChangedSignal,
	stopSignal,
} from "../../src/workflows/contracts/follow-source.js";
import { followSource } from "../../src/workflows/follow-source.js";
import { fakedActivities } from "../support/faked-activities.js";
import { temporalEnvironment, testWorker } from "../support/temporal-environment.js";

const commit = (number: number) => number.toString(16).padStart(40, "0");

/** Real: Temporal server (which suggests to continue as new after a few events), worker, workflow code. Faked: activities. */
describe("a followSource that lives long", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment(["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40"]);
	});
	afterAll(() => environment?.teardown());

	async function follow(
		overrides: Partial<Activities>,
		fn: (use: {
			handle: WorkflowHandle<typeof followSource>;
			/** Commits in the order in which they were begun. */
			begun: string[];
			ingest(commit: string, updateId?: string): Promise<unknown>;
			idle(): Promise<void>;
		}) => Promise<void>,
	) {
		const begun: string[] = [];
		const { activities } = fakedActivities({
			begin: async ({ commit }) => {
				begun.push(commit);
				return { outcome: "started", seq: begun.length, ingestion: `ing-${begun.length}` };
			},
			planChanges: async () => ({ batches: 0, fileBatches: 0, files: { added: 0, changed: 0, removed: 0 } }),
			...overrides,
		});
		const source = randomUUID();
		const worker = await testWorker(environment, source, activities);
		const start = {
			workflowId: `source/${source}`,
			taskQueue: source,
			args: [{ source, policy: "every" }] as [{ source: string; policy: "every" }],
		};
		const { workflow } = environment.client;
		await worker.runUntil(async () => {
			await workflow.start(followSource, start);
			// Without a run id: whichever run is the present one.
			const handle = workflow.getHandle<typeof followSource>(start.workflowId);
			await fn({
				handle,
				begun,
				ingest: (commit, updateId = randomUUID()) =>
					workflow.executeUpdateWithStart(ingestUpdate, {
						updateId,
						args: [{ commit }],
						startWorkflowOperation: new WithStartWorkflowOperation(followSource, {
							...start,
							workflowIdConflictPolicy: "USE_EXISTING",
						}),
					}),
				async idle() {
					for (;;) {
						const { running, waiting } = await handle.query(followStateQuery);
						if (running === null && waiting.length === 0) return;
						await sleep(20);
					}
				},
			});
			if ((await handle.describe()).status.name === "RUNNING") await handle.signal(stopSignal);
			await handle.result();
		});
	}

	test("loses no request and no hint over its runs, and does nothing twice", async () => {
		const pending = new Set<string>();
		const published = new Set<string>();
		await follow(
			{
				pendingCommits: async () => [...pending].filter((one) => !published.has(one)),
			},
			async ({ handle, begun, ingest, idle }) => {
				const first = (await handle.describe()).runId;
				const asked: string[] = [];
				for (let round = 0; round < 8; round++) {
					for (const one of begun) published.add(one);
					pending.add(commit(1_000 + round));
					const requests = [0, 1, 2, 3].map((at) => commit(round * 4 + at + 1));
					asked.push(...requests);
					const answers = requests.map((one) => ingest(one));
					await handle.signal(refChangedSignal);
					for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ outcome: "published" });
				}
				for (const one of begun) published.add(one);
				await handle.signal(refChangedSignal);
				await idle();
				for (let tries = 0; tries < 100 && !begun.includes(commit(1_007)); tries++) await sleep(50);
				expect((await handle.describe()).runId).not.toBe(first);
				const requested = begun.filter((one) => asked.includes(one));
				expect(requested.sort()).toEqual(asked.sort());
				for (const one of pending) expect(begun).toContain(one);
			},
		);
	}, 120_000);

	test("commits that were found and still wait go over to the next run, once each and in order", async () => {
		const found = Array.from({ length: 30 }, (_, at) => commit(at + 1));
		const published = new Set<string>();
		const order: string[] = [];
		await follow(
			{
				pendingCommits: async () => found.filter((one) => !published.has(one)),
				begin: async ({ commit: one }) => {
					order.push(one);
					published.add(one);
					return { outcome: "started", seq: order.length, ingestion: `ing-${order.length}` };
				},
			},
			async ({ handle }) => {
				const first = (await handle.describe()).runId;
				await handle.signal(refChangedSignal);
				for (let tries = 0; tries < 600 && order.length < found.length; tries++) await sleep(50);
				expect(order).toEqual(found);
				expect((await handle.describe()).runId).not.toBe(first);
			},
		);
	}, 120_000);
	test("a stop that comes with the last answer before the next run is not forgotten", async () => {
		await follow({}, async ({ handle, ingest }) => {
			const first = (await handle.describe()).runId;
			for (let at = 1; (await handle.describe()).runId === first; at++) await ingest(commit(at));
			for (let at = 100; at < 111; at++) await ingest(commit(at));
			// Accepted before the stop is sent: otherwise the stop may end the workflow first, and the request would start it anew.
			const last = await handle.startUpdate(ingestUpdate, {
				args: [{ commit: commit(111) }],
				waitForStage: "ACCEPTED",
			});
			await handle.signal(stopSignal);
			await last.result().catch(() => undefined);
			await handle.result();
			expect((await handle.describe()).status.name).toBe("COMPLETED");
		});
	}, 120_000);
});
