import { randomUUID } from "node:crypto";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { Worker } from "@temporalio/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activities } from "../../src/activities/activities.js";
import { toFailure } from "../../src/activities/failure-mapping.js";
import { LodeError } from "../../src/domain/errors.js";
import { ingestCommit } from "../../src/workflows/ingest-commit.js";
import { fakedActivities } from "../support/faked-activities.js";
import { temporalEnvironment, testWorker, workflowBundle } from "../support/temporal-environment.js";

const STEPS = [
	"mineBatch",
	"embedBatch",
	"stageGraph",
	"stageVectors",
	"recordBatch",
	"linkNames",
	"stageManifest",
	"verifyStaged",
] as const;

/** The activity that does a step: of a small change set those that need nothing of each other are one. */
const ACTIVITY: Partial<Record<(typeof STEPS)[number], string>> = {
	stageGraph: "stageBatches",
	stageVectors: "stageBatches",
	recordBatch: "stageBatches",
};

/** Real: Temporal server, worker, workflow code. Faked: activities. */
describe("ingestCommit of a small change set", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	async function run(overrides: Partial<Activities>) {
		const { calls, activities } = fakedActivities({
			planChanges: async () => ({
				...{ batches: 3, fileBatches: 2, files: { added: 2, changed: 1, removed: 0 } },
				small: true,
			}),
			...overrides,
		});
		const taskQueue = randomUUID();
		const worker = await testWorker(environment, taskQueue, activities);
		const workflowId = `ingest/${taskQueue}`;
		const handle = environment.client.workflow.getHandle(workflowId);
		const result = await worker.runUntil(async () => {
			const args: [{ source: string; commit: string }] = [{ source: "s-1", commit: "c".repeat(40) }];
			return environment.client.workflow.execute(ingestCommit, { workflowId, taskQueue, args }).then(
				(value) => ({ value, error: undefined }),
				(error: Error) => ({ value: undefined, error }),
			);
		});
		const history = await handle.fetchHistory();
		// As a worker does that comes when another one died: what ran within one task comes all at once then.
		await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
		const { events } = history;
		const scheduled = (events ?? []).flatMap(
			({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
		);
		const stages = (events ?? []).flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upserted }) => {
			const told = upserted?.searchAttributes?.indexedFields?.LodeStage?.data;
			return told ? (JSON.parse(Buffer.from(told).toString()) as string) : [];
		});
		return { ...result, calls, scheduled, stages, events: events?.length ?? 0 };
	}

	test("takes the same steps, and none is a task of its own", async () => {
		const { value, calls, scheduled, events } = await run({});
		expect(value).toMatchObject({ outcome: "published", snapshot: 7, stats: { entities: 17, chunks: 8, embedded: 6 } });
		expect(scheduled).toEqual(["prepareCommit", "planChanges"]);
		expect([...new Set(calls)].sort()).toEqual(["begin", "prepareCommit", "planChanges", ...STEPS, "publish"].sort());
		expect(calls.slice(-2)).toEqual(["verifyStaged", "publish"]);
		expect(events).toBeLessThan(48);
	});

	/** What goes on from an ingestion by the same recipe. */
	const follows: Partial<Activities> = {
		begin: async () => ({ outcome: "started", seq: 1, ingestion: "ing-1", follows: true }),
	};

	test("that follows another is one task from its beginning to its end", async () => {
		const { value, calls, scheduled, events } = await run(follows);
		expect(value).toMatchObject({ outcome: "published", snapshot: 7, stats: { entities: 17, chunks: 8, embedded: 6 } });
		expect(scheduled).toEqual([]);
		expect(calls.slice(0, 3)).toEqual(["begin", "prepareCommit", "planChanges"]);
		expect(calls.slice(-2)).toEqual(["verifyStaged", "publish"]);
		expect(events).toBeLessThan(30);
	});

	test("that follows another and changes much after all is staged by activities", async () => {
		const planChanges = async () => ({ batches: 2, fileBatches: 2, files: { added: 2, changed: 1, removed: 0 } });
		const { value, scheduled } = await run({ ...follows, planChanges });
		expect(value?.outcome).toBe("published");
		expect([...new Set(scheduled)].sort()).toEqual([...new Set(STEPS.map((step) => ACTIVITY[step] ?? step))].sort());
	});

	test.each(["prepareCommit", "planChanges"] as const)(
		"%s of one that follows another goes on as an activity where it does not succeed at once, and tells its stage",
		async (name) => {
			const { activities } = fakedActivities();
			let attempts = 0;
			const { value, scheduled, stages } = await run({
				...follows,
				[name]: async (seq: number) => {
					attempts += 1;
					if (attempts <= 2) throw toFailure(new LodeError("SOURCE_UNAVAILABLE", "away"), attempts, false);
					return activities[name](seq);
				},
			});
			expect(value?.outcome).toBe("published");
			expect(scheduled[0]).toBe(name);
			expect(stages).toContain(name === "prepareCommit" ? "prepare" : "diff");
		},
	);

	test("a permanent failure of the plan of one that follows another is not tried again", async () => {
		const { error, calls, scheduled } = await run({
			...follows,
			planChanges: async () => {
				throw toFailure(new LodeError("REPOSITORY_UNREADABLE", "broken"), 1, false);
			},
		});
		expect(error?.cause).toMatchObject({ type: "REPOSITORY_UNREADABLE" });
		expect(scheduled).not.toContain("planChanges");
		expect(calls.slice(-5).sort()).toEqual(["abort", "discardArtifacts", "discardGraph", "discardVectors", "release"]);
	});

	test.each(STEPS)("a permanent failure of %s is not tried again, and discards everything", async (name) => {
		const { error, calls, scheduled } = await run({
			[name]: async () => {
				throw toFailure(new LodeError("STORE_CORRUPT", "graph: broken", { next: "mend it" }), 1, false);
			},
		});
		expect(error?.cause).toMatchObject({ type: "STORE_CORRUPT", details: [{ next: "mend it" }] });
		expect(scheduled).not.toContain(ACTIVITY[name] ?? name);
		expect(calls).not.toContain("publish");
		expect(calls.slice(-5).sort()).toEqual(["abort", "discardArtifacts", "discardGraph", "discardVectors", "release"]);
	});

	// At the same time: each waits for seconds between its tries.
	test.concurrent.each(STEPS)(
		"%s, where it does not succeed at once, goes on as an activity with all its retries",
		async (name) => {
			const { activities } = fakedActivities();
			let attempts = 0;
			const { value, scheduled } = await run({
				[name]: async (...args: never[]) => {
					attempts += 1;
					if (attempts <= 4) throw toFailure(new LodeError("STORE_UNAVAILABLE", "away"), attempts, false);
					return (activities[name] as (...args: never[]) => Promise<unknown>)(...args);
				},
			});
			expect(value?.outcome).toBe("published");
			expect(scheduled).toContain(ACTIVITY[name] ?? name);
			expect(scheduled.length).toBeLessThanOrEqual(5);
		},
	);
});
