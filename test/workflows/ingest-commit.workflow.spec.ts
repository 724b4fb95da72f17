import { randomUUID } from "node:crypto";
import type { ApplicationFailure } from "@temporalio/common";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activities } from "../../src/activities/activities.js";
import { toFailure } from "../../src/activities/failure-mapping.js";
import { LodeError } from "../../src/domain/errors.js";
import { ingestStateQuery } from "../../src/workflows/contracts/ingest-commit.js";
import { ingestCommit } from "../../src/workflows/ingest-commit.js";
import { fakedActivities } from "../support/faked-activities.js";
import { temporalEnvironment, testWorker } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, workflow code. Faked: activities. */
describe("ingestCommit", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	const input = { source: "s-1", commit: "c".repeat(40) };
	async function run(overrides: Partial<Activities>, during?: (id: string) => Promise<void>) {
		const { calls, activities } = fakedActivities(overrides);
		const taskQueue = randomUUID();
		const worker = await testWorker(environment, taskQueue, activities);
		const workflowId = `ingest/${taskQueue}`;
		const result = await worker.runUntil(async () => {
			const handle = await environment.client.workflow.start(ingestCommit, { workflowId, taskQueue, args: [input] });
			await during?.(workflowId);
			return handle.result().then(
				(value) => ({ value, error: undefined }),
				(error: Error) => ({ value: undefined, error }),
			);
		});
		return { ...result, calls, workflowId };
	}
	const count = (calls: string[], name: string) => calls.filter((call) => call === name).length;
	const permanent = () => {
		throw toFailure(new LodeError("STORE_CORRUPT", "graph: broken", { next: "mend it" }), 1, false);
	};

	test("takes every batch through mine, embed and stage, then links, verifies and publishes", async () => {
		const { value, calls } = await run({});
		expect(value).toMatchObject({
			outcome: "published",
			snapshot: 7,
			stats: {
				files: { added: 2, changed: 1, removed: 0, failed: 0 },
				entities: 17,
				chunks: 8,
				embedded: 6,
				reused: 2,
			},
		});
		expect(calls.slice(0, 3)).toEqual(["begin", "prepareCommit", "planChanges"]);
		expect(count(calls, "mineBatch")).toBe(2);
		expect(count(calls, "stageGraph")).toBe(3);
		expect(count(calls, "stageVectors")).toBe(3);
		expect(count(calls, "recordBatch")).toBe(3);
		expect(calls.slice(-2)).toEqual(["verifyStaged", "publish"]);
		expect(calls.slice(-4, -2).sort()).toEqual(["linkNames", "stageManifest"]);
		expect(count(calls, "abort")).toBe(0);
	});

	test("stages nothing when the commit is the head already", async () => {
		const ingestion = (await fakedActivities().activities.publish(1, {} as never)).ingestion;
		const { value, calls } = await run({ begin: async () => ({ outcome: "unchanged", ingestion, snapshot: 7 }) });
		expect(value).toMatchObject({ outcome: "unchanged", snapshot: 7, stats: { embedded: 0 } });
		expect(calls).toEqual(["begin"]);
	});

	test.each([
		"prepareCommit",
		"planChanges",
		"mineBatch",
		"embedBatch",
		"stageGraph",
		"stageVectors",
		"recordBatch",
		"linkNames",
		"stageManifest",
		"verifyStaged",
		"publish",
	] as const)("a permanent failure of %s aborts, discards every store, then releases as parked", async (name) => {
		const released: string[] = [];
		const { error, calls } = await run({
			[name]: permanent,
			release: async (_seq, status) => {
				released.push(status);
			},
		});
		expect(calls.slice(-5).sort()).toEqual(["abort", "discardArtifacts", "discardGraph", "discardVectors", "release"]);
		expect(calls.indexOf("abort")).toBeLessThan(calls.indexOf("discardGraph"));
		expect(calls.at(-1)).toBe("release");
		expect(released).toEqual(["parked"]);
		expect(count(calls, "publish")).toBe(name === "publish" ? 1 : 0);
		expect(error?.cause).toMatchObject({ name: "ApplicationFailure", type: "STORE_CORRUPT", message: "graph: broken" });
		const failure = error?.cause as ApplicationFailure | undefined;
		expect(failure?.details?.[0]).toMatchObject({ next: "mend it" });
	});

	test("does not discard before every other activity of the ingestion has ended", async () => {
		let running = 0;
		let runningAtDiscard = -1;
		const slow = async () => {
			running += 1;
			await new Promise((resolve) => setTimeout(resolve, 300));
			running -= 1;
		};
		await run({
			planChanges: async () => ({ batches: 4, fileBatches: 4, files: { added: 4, changed: 0, removed: 0 } }),
			stageVectors: slow,
			stageGraph: async (batch) => (batch.index === 0 ? permanent() : { entities: 1 }),
			discardGraph: async () => {
				runningAtDiscard = running;
			},
		});
		expect(runningAtDiscard).toBe(0);
	});

	test("discards a stale ingestion of the source before it begins", async () => {
		let asked = 0;
		const discarded: number[] = [];
		const { value, calls } = await run({
			begin: async () =>
				asked++ === 0 ? { outcome: "stale", by: "ing-4", seq: 4 } : { outcome: "started", seq: 5, ingestion: "ing-5" },
			discardGraph: async (seq) => {
				discarded.push(seq);
			},
		});
		expect(value?.outcome).toBe("published");
		expect(discarded).toEqual([4]);
		expect(calls.slice(0, 7).sort()).toEqual(
			["abort", "begin", "begin", "discardArtifacts", "discardGraph", "discardVectors", "release"].sort(),
		);
	});

	test("waits while another ingestion of the source runs", async () => {
		let asked = 0;
		const { value } = await run({
			begin: async () =>
				asked++ < 2 ? { outcome: "busy", by: "ing-4" } : { outcome: "started", seq: 5, ingestion: "ing-5" },
		});
		expect(value?.outcome).toBe("published");
		expect(asked).toBe(3);
	});

	test("a cancelled one is discarded and released as cancelled", async () => {
		const released: string[] = [];
		let mining = false;
		const { error, calls } = await run(
			{
				prepareCommit: async () => {
					mining = true;
					await new Promise((resolve) => setTimeout(resolve, 1_500));
				},
				release: async (_seq, status) => {
					released.push(status);
				},
			},
			async (id) => {
				while (!mining) await new Promise((resolve) => setTimeout(resolve, 20));
				await environment.client.workflow.getHandle(id).cancel();
			},
		);
		expect(error?.cause).toMatchObject({ name: "CancelledFailure" });
		expect(released).toEqual(["cancelled"]);
		expect(calls).toContain("discardVectors");
	});

	test("retries a store that is away and goes on where it was", async () => {
		let attempts = 0;
		const { value } = await run({
			linkNames: async () => {
				if (attempts++ < 3) throw toFailure(new LodeError("STORE_UNAVAILABLE", "graph: away"), attempts, false);
				return { entities: 1 };
			},
		});
		expect(value?.outcome).toBe("published");
		expect(attempts).toBe(4);
	});

	test("hands more than 200 batches to children, each within its own history", async () => {
		const { value, workflowId } = await run({
			planChanges: async () => ({ batches: 230, fileBatches: 0, files: { added: 0, changed: 0, removed: 0 } }),
			stageGraph: async () => ({ entities: 1 }),
		});
		expect(value?.stats.entities).toBe(232);
		const { historyLength } = await environment.client.workflow.getHandle(workflowId).describe();
		expect(historyLength).toBeLessThan(120);
	});

	test("answers with its progress", async () => {
		const states: string[] = [];
		await run(
			{
				planChanges: async () => {
					await new Promise((resolve) => setTimeout(resolve, 800));
					return { batches: 1, fileBatches: 1, files: { added: 1, changed: 0, removed: 0 } };
				},
			},
			async (id) => {
				for (let i = 0; i < 100 && !states.includes("diff"); i++) {
					states.push((await environment.client.workflow.getHandle(id).query(ingestStateQuery)).stage);
					await new Promise((resolve) => setTimeout(resolve, 30));
				}
			},
		);
		expect(states).toContain("diff");
	});
});
