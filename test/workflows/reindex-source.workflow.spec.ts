import { randomUUID } from "node:crypto";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReindexActivities, ReindexPlan } from "../../src/activities/activity-types.js";
import { groupsChangedSignal } from "../../src/workflows/contracts/reindex-source.js";
import { reindexSource } from "../../src/workflows/reindex-source.js";
import { fakedActivities } from "../support/faked-activities.js";
import { temporalEnvironment, testWorker } from "../support/temporal-environment.js";

type Page = Parameters<ReindexActivities["warmPage"]>[0];

/** Real: Temporal server, worker, workflow code. Faked: activities. */
describe("reindexSource", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	async function run(plans: Partial<ReindexPlan>[], overrides: Partial<ReindexActivities> = {}) {
		const pages: string[] = [];
		const taskQueue = randomUUID();
		const { activities, calls } = fakedActivities({
			planReindex: async () => {
				const plan = plans.length > 1 ? plans.shift() : plans[0];
				return { pending: true, recipe: "r", head: 7, since: [], files: 3, ...plan };
			},
			warmPage: async ({ recipe, seq, added, after }: Page) => {
				pages.push(`${recipe} ${added ? "added by" : "all of"} ${seq}${after === null ? "" : ` after ${after}`}`);
				return { after: null, files: 3, embedded: 2, reused: 1 };
			},
			...overrides,
		});
		const worker = await testWorker(environment, taskQueue, activities);
		const outcome = await worker.runUntil(async () => {
			const handle = await environment.client.workflow.start(reindexSource, {
				workflowId: `reindex/${taskQueue}`,
				taskQueue,
				args: [{ source: taskQueue }],
			});
			return handle.result();
		});
		return { outcome, pages, calls };
	}

	test("warms page by page, then what commits brought meanwhile, and switches once", async () => {
		const answers = ["b", null, null, null];
		const walked: string[] = [];
		const { outcome, calls } = await run([{}, { head: 9, since: [8, 9] }, { head: 9 }], {
			warmPage: async ({ seq, added, after }) => {
				walked.push(`${added ? "added by" : "all of"} ${seq} after ${after}`);
				return { after: answers.shift() ?? null, files: 3, embedded: 2, reused: 1 };
			},
		});
		expect(walked).toEqual([
			"all of 7 after null",
			"all of 7 after b",
			"added by 8 after null",
			"added by 9 after null",
		]);
		expect(outcome).toEqual({ outcome: "switched", ingestion: "ing-1", snapshot: 7, embedded: 8, reused: 4 });
		expect(calls.filter((name) => name === "switchIndex")).toHaveLength(1);
	});

	test("begins anew where the groups change under it", async () => {
		let ready = 0;
		const { outcome, pages } = await run([{}, {}, { recipe: "r2" }], { readyGroups: async () => ready++ > 0 });
		expect(pages).toEqual(["r all of 7", "r2 all of 7"]);
		expect(outcome.outcome).toBe("switched");
	});

	test("looks again where a change came while it switched, and finds that nothing is left", async () => {
		const plans: Partial<ReindexPlan>[] = [{}, {}, { pending: false }];
		const { outcome, calls } = await run(plans, {
			switchIndex: async (source) => {
				await environment.client.workflow.getHandle(`reindex/${source}`).signal(groupsChangedSignal);
				return { ingestion: "ing-9", snapshot: 9 };
			},
		});
		expect(outcome).toMatchObject({ outcome: "switched", ingestion: "ing-9" });
		expect(calls.filter((name) => name === "planReindex")).toHaveLength(3);
	});

	test("has nothing to warm where nothing is published", async () => {
		const { outcome, pages } = await run([{ head: null }], {
			switchIndex: async () => ({ ingestion: null, snapshot: null }),
		});
		expect(pages).toEqual([]);
		expect(outcome).toMatchObject({ outcome: "nothing", snapshot: null });
	});
});
