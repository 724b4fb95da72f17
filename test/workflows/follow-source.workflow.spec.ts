import { randomUUID } from "node:crypto";
import { WithStartWorkflowOperation, type WorkflowHandle } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Activities } from "../../src/activities/activities.js";
import { toFailure } from "../../src/activities/failure-mapping.js";
import { LodeError } from "../../src/domain/errors.js";
import {
	followStateQuery,
	type IngestRequest,
	ingestUpdate,
	refChangedSignal,
	stopSignal,
} from "../../src/workflows/contracts/follow-source.js";
import { followSource } from "../../src/workflows/follow-source.js";
import { fakedActivities } from "../support/faked-activities.js";
import { temporalEnvironment, testWorker } from "../support/temporal-environment.js";

const commit = (digit: string) => digit.repeat(40);

/** Real: Temporal server, worker, workflow code. Faked: activities. */
describe("followSource", () => {
	let environment: TestWorkflowEnvironment;
	beforeAll(async () => {
		environment = await temporalEnvironment();
	});
	afterAll(() => environment?.teardown());

	async function follow(
		overrides: Partial<Activities>,
		fn: (use: {
			handle: WorkflowHandle<typeof followSource>;
			ingest(request: IngestRequest, updateId?: string): Promise<unknown>;
			begun: string[];
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
		const workflowId = `source/${source}`;
		const start = {
			workflowId,
			taskQueue: source,
			args: [{ source, policy: "every" }] as [{ source: string; policy: "every" }],
		};
		await worker.runUntil(async () => {
			const handle = await environment.client.workflow.start(followSource, start);
			await fn({
				handle,
				begun,
				ingest: (request, updateId = randomUUID()) =>
					environment.client.workflow.executeUpdateWithStart(ingestUpdate, {
						updateId,
						args: [request],
						startWorkflowOperation: new WithStartWorkflowOperation(followSource, {
							...start,
							workflowIdConflictPolicy: "USE_EXISTING",
						}),
					}),
			});
			await handle.signal(stopSignal);
			await handle.result();
		});
	}

	test("ingests requests one at a time, in their order", async () => {
		let running = 0;
		let most = 0;
		await follow(
			{
				prepareCommit: async () => {
					running += 1;
					most = Math.max(most, running);
					await new Promise((resolve) => setTimeout(resolve, 50));
					running -= 1;
				},
			},
			async ({ ingest, begun }) => {
				const first = ingest({ commit: commit("a") });
				await new Promise((resolve) => setTimeout(resolve, 100));
				await Promise.all([first, ingest({ commit: commit("b") })]);
				expect(begun).toEqual([commit("a"), commit("b")]);
			},
		);
		expect(most).toBe(1);
	});

	test("answers a repeated request by its first ingestion", async () => {
		await follow({}, async ({ ingest, begun }) => {
			const id = randomUUID();
			await ingest({ commit: commit("a") }, id);
			await ingest({ commit: commit("a") }, id);
			expect(begun).toEqual([commit("a")]);
		});
	});

	test("a commit that fails does not hold up the next, and its request gets the code", async () => {
		await follow(
			{
				planChanges: async (seq) => {
					if (seq === 1) throw toFailure(new LodeError("REPOSITORY_UNREADABLE", "git: broken"), 1, false);
					return { batches: 0, fileBatches: 0, files: { added: 0, changed: 0, removed: 0 } };
				},
			},
			async ({ ingest }) => {
				const failed = await ingest({ commit: commit("a") }).then(
					() => undefined,
					(error: Error) => error,
				);
				expect(failed?.cause).toMatchObject({ type: "REPOSITORY_UNREADABLE", message: "git: broken" });
				expect(await ingest({ commit: commit("b") })).toMatchObject({ outcome: "published" });
			},
		);
	});

	test("hints look at the ref: any number of them ingests each pending commit once, in order", async () => {
		let published: string[] = [];
		await follow(
			{
				pendingCommits: async () => [commit("1"), commit("2"), commit("3")].filter((one) => !published.includes(one)),
			},
			async ({ handle, begun }) => {
				for (let i = 0; i < 5; i++) await handle.signal(refChangedSignal);
				const seen = async () => {
					published = [...new Set(begun)];
					return (await handle.query(followStateQuery)).waiting.length === 0 && published.length === 3;
				};
				for (let i = 0; i < 200 && !(await seen()); i++) await new Promise((resolve) => setTimeout(resolve, 25));
				expect([...new Set(begun)]).toEqual([commit("1"), commit("2"), commit("3")]);
			},
		);
	});

	test("a look at the ref that fails for good does not end it", async () => {
		let looks = 0;
		await follow(
			{
				pendingCommits: async () => {
					looks += 1;
					throw toFailure(new LodeError("SOURCE_NOT_FOUND", "git: gone"), 1, false);
				},
			},
			async ({ handle, ingest }) => {
				await handle.signal(refChangedSignal);
				for (let i = 0; i < 200 && looks === 0; i++) await new Promise((resolve) => setTimeout(resolve, 25));
				expect(looks).toBe(1);
				expect(await ingest({ commit: commit("e") })).toMatchObject({ outcome: "published" });
			},
		);
	});

	test("a found commit that could not begin is not passed over: it is looked for again and comes first", async () => {
		const tried: string[] = [];
		const published = new Set<string>();
		await follow(
			{
				pendingCommits: async () => [commit("1"), commit("2")].filter((one) => !published.has(one)),
				begin: async ({ commit: one }) => {
					tried.push(one);
					if (tried.length === 1) throw ApplicationFailure.nonRetryable("the disk is full", "DISK_FULL");
					published.add(one);
					return { outcome: "started", seq: tried.length, ingestion: `ing-${tried.length}` };
				},
			},
			async ({ handle }) => {
				await handle.signal(refChangedSignal);
				for (let i = 0; i < 800 && published.size < 2; i++) await new Promise((resolve) => setTimeout(resolve, 25));
				expect(tried).toEqual([commit("1"), commit("1"), commit("2")]);
			},
		);
	});

	test("a look that a passing trouble ended is repeated, though nobody hints again", async () => {
		let looks = 0;
		await follow(
			{
				pendingCommits: async () => {
					looks += 1;
					if (looks === 1) throw ApplicationFailure.nonRetryable("Postgres does not answer", "STORE_UNAVAILABLE");
					return looks === 2 ? [commit("7")] : [];
				},
			},
			async ({ handle, begun }) => {
				await handle.signal(refChangedSignal);
				for (let i = 0; i < 800 && begun.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 25));
				expect(begun).toEqual([commit("7")]);
			},
		);
	});

	test("refuses what is no commit id", async () => {
		await follow({}, async ({ ingest }) => {
			await expect(ingest({ commit: "--upload-pack=x" })).rejects.toThrow();
		});
	});

	test("waits for an ingestion of the same commit that runs already, then asks again", async () => {
		let awaited = 0;
		await follow(
			{
				awaitIngestion: async (workflowId) => {
					awaited += 1;
					await environment.client.workflow.getHandle(workflowId).terminate("test");
				},
			},
			async ({ ingest, handle }) => {
				const source = handle.workflowId.slice("source/".length);
				await environment.client.workflow.start("ingestCommit", {
					workflowId: `ingest/${source}/${commit("d")}`,
					taskQueue: "nobody",
					args: [{ source, commit: commit("d") }],
				});
				expect(await ingest({ commit: commit("d") })).toMatchObject({ outcome: "published" });
				expect(awaited).toBe(1);
			},
		);
	});
});
