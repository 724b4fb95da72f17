import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ApplicationFailure } from "@temporalio/common";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activities } from "../../src/activities/activities.js";
import { toFailure } from "../../src/activities/failure-mapping.js";
import { type ErrorCode, LodeError } from "../../src/domain/errors.js";
import { ingestCommit } from "../../src/workflows/ingest-commit.js";
import { fakedActivities } from "../support/faked-activities.js";
import { temporalEnvironment, testWorker } from "../support/temporal-environment.js";

/** Real: Temporal server, worker, workflow code. Faked: activities. */
describe.each([
	["whose steps are activities", {}],
	["that is small", { small: true }],
] as const)("how an ingestCommit ends %s", (_, size) => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	async function run(overrides: Partial<Activities>, during?: (id: string) => Promise<void>) {
		const { calls, activities } = fakedActivities({
			planChanges: async () => ({ batches: 1, fileBatches: 1, files: { added: 1, changed: 0, removed: 0 }, ...size }),
			...overrides,
		});
		const taskQueue = randomUUID();
		const worker = await testWorker(environment, taskQueue, activities);
		const workflowId = `ingest/${taskQueue}`;
		const args: [{ source: string; commit: string }] = [{ source: "s-1", commit: "c".repeat(40) }];
		const result = await worker.runUntil(async () => {
			const handle = await environment.client.workflow.start(ingestCommit, { workflowId, taskQueue, args });
			await during?.(workflowId);
			return handle.result().then(
				(value) => ({ value, error: undefined }),
				(error: Error) => ({ value: undefined, error }),
			);
		});
		return { ...result, calls };
	}
	const failing = (code: ErrorCode) => async (): Promise<never> => {
		throw toFailure(new LodeError(code, "injected"), 1, false);
	};

	test("where an engine cannot refuse a late write, everything is discarded again before the seq is released", async () => {
		const { calls } = await run({
			stageGraph: failing("STORE_CORRUPT"),
			discardVectors: async () => ({ repeatAfterMs: 300 }),
		});
		const ending = calls.slice(calls.indexOf("abort"));
		expect(ending.filter((call) => call === "discardVectors")).toHaveLength(2);
		expect(ending.filter((call) => call === "discardGraph")).toHaveLength(2);
		expect(ending.at(-1)).toBe("release");
		expect(ending.filter((call) => call === "release")).toHaveLength(1);
	});

	// At the same time: each waits for the five seconds after which the workflow looks again.
	test.concurrent.each(
		"small" in size ? (["mineBatch"] as const) : (["prepareCommit", "planChanges", "mineBatch"] as const),
	)("a store that is away for longer than %s is tried parks nothing", async (name) => {
		let attempts = 0;
		const { activities } = fakedActivities();
		const { value, calls } = await run({
			[name]: async (...args: never[]) => {
				attempts += 1;
				// Not retryable: what Temporal makes of the last of the attempts that it allows.
				if (attempts === 1) throw ApplicationFailure.nonRetryable("S3 does not answer", "STORE_UNAVAILABLE");
				return (activities[name] as (...args: never[]) => Promise<unknown>)(...args);
			},
		});
		expect(value).toMatchObject({ outcome: "published" });
		expect(calls).not.toContain("abort");
	});

	test("nothing is discarded before the other writes of the batch that failed have ended", async () => {
		let writing = false;
		let writingAtDiscard: boolean | undefined;
		const { error } = await run({
			stageGraph: failing("STORE_CORRUPT"),
			stageVectors: async () => {
				writing = true;
				await sleep(1_000);
				writing = false;
			},
			discardGraph: async () => {
				writingAtDiscard = writing;
				return undefined;
			},
		});
		expect(error?.cause).toMatchObject({ type: "STORE_CORRUPT" });
		expect(writingAtDiscard).toBe(false);
	});

	test.each([
		["stageGraph", "stageVectors"],
		["linkNames", "stageManifest"],
	] as const)("a permanent failure of %s does not wait for a store that is away (%s)", async (fails, waits) => {
		const { error, calls } = await run({
			[fails]: failing("STORE_CORRUPT"),
			[waits]: failing("STORE_UNAVAILABLE"),
		});
		expect(error?.cause).toMatchObject({ type: "STORE_CORRUPT" });
		expect(calls.at(-1)).toBe("release");
	});

	test("one that is cancelled while it publishes, and publishes, says so", async () => {
		const { activities } = fakedActivities();
		let published = false;
		let publishing = false;
		const { value, error } = await run(
			{
				publish: async (...args) => {
					publishing = true;
					await sleep(800);
					published = true;
					return activities.publish(...args);
				},
				abort: async (...args) => (published ? failing("SEQ_CLOSED")() : activities.abort(...args)),
			},
			async (id) => {
				while (!publishing) await sleep(20);
				await environment.client.workflow.getHandle(id).cancel();
			},
		);
		expect(error).toBeUndefined();
		expect(value).toMatchObject({ outcome: "published", snapshot: 7 });
	});

	test("a publication whose answer got lost is not undone", async () => {
		const { activities } = fakedActivities();
		let published = false;
		const { value, error, calls } = await run({
			publish: async (...args) => {
				if (published) return activities.publish(...args);
				published = true;
				return failing("INTERNAL")();
			},
			abort: failing("SEQ_CLOSED"),
		});
		expect(error).toBeUndefined();
		expect(value).toMatchObject({ outcome: "published", snapshot: 7 });
		expect(calls).not.toContain("discardGraph");
	});

	test.each([1, 2])("a store that holds less than was staged (%d times) is written again, once", async (times) => {
		const staged: (true | undefined)[] = [];
		let asked = 0;
		const { value, error, calls } = await run({
			stageVectors: async ({ again }) => {
				staged.push(again);
			},
			verifyStaged: async () => (asked++ < times ? failing("VERIFICATION_FAILED")() : undefined),
		});
		expect(staged).toEqual([undefined, true]);
		expect(calls.filter((call) => call === "verifyStaged")).toHaveLength(2);
		if (times === 1) expect(value).toMatchObject({ outcome: "published", stats: { chunks: 4 } });
		else expect(error?.cause).toMatchObject({ type: "VERIFICATION_FAILED" });
	});

	test.each([3, 4])(
		"a store that dies again while that is written (%d times) is written again, but not for ever",
		async (times) => {
			let asked = 0;
			const { value, error, calls } = await run({
				verifyStaged: async () => {
					if (asked++ < times)
						throw toFailure(new LodeError("VERIFICATION_FAILED", `vectors: ${asked} records`), 1, false);
				},
			});
			expect(calls.filter((call) => call === "verifyStaged")).toHaveLength(4);
			expect(value?.outcome).toBe(times === 3 ? "published" : undefined);
			if (times === 4)
				expect(error?.cause).toMatchObject({ type: "VERIFICATION_FAILED", message: "vectors: 4 records" });
		},
	);

	test("a stale ingestion that turns out to be published is left alone", async () => {
		let asked = 0;
		const { value, calls } = await run({
			begin: async () =>
				asked++ === 0 ? { outcome: "stale", by: "ing-4", seq: 4 } : { outcome: "started", seq: 5, ingestion: "ing-5" },
			abort: failing("SEQ_CLOSED"),
		});
		expect(value?.outcome).toBe("published");
		expect(calls).not.toContain("discardGraph");
	});
});
