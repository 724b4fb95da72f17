import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { Client, WithStartWorkflowOperation, type WorkflowClientInterceptor } from "@temporalio/client";
import { ApplicationFailure, defaultPayloadConverter } from "@temporalio/common";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import type { Activities } from "../../src/activities/activities.js";
import type { ReindexPlan } from "../../src/activities/activity-types.js";
import { toFailure } from "../../src/activities/failure-mapping.js";
import { LodeError } from "../../src/domain/errors.js";
import { archiveEvents } from "../../src/workflows/archive-events.js";
import { ingestUpdate, refChangedSignal, stopSignal } from "../../src/workflows/contracts/follow-source.js";
import { TRACE_HEADER } from "../../src/workflows/contracts/traces.js";
import { followSource } from "../../src/workflows/follow-source.js";
import { ingestCommit } from "../../src/workflows/ingest-commit.js";
import { collectGarbage, removeSource, verifySnapshot } from "../../src/workflows/maintenance.js";
import { reconcileSources } from "../../src/workflows/reconcile-sources.js";
import { reindexSource } from "../../src/workflows/reindex-source.js";
import { fakedActivities } from "./faked-activities.js";
import { temporalBinary } from "./temporal-binary.js";
import { testWorker } from "./temporal-environment.js";

/** A history as the Temporal CLI prints it: the form that the Web UI exports too. */
async function historyJson(environment: TestWorkflowEnvironment, workflowId: string): Promise<string> {
	const cli = await temporalBinary(() => {});
	const args = ["workflow", "show", "--workflow-id", workflowId, "--address", environment.address, "--output", "json"];
	const { stdout } = await promisify(execFile)(cli, args, { maxBuffer: 64 * 1024 * 1024 });
	return stdout;
}

const COMMIT = "c".repeat(40);

/** Runs each workflow through its ways on a real server with faked activities and returns the histories by name. */
export async function recordHistories(environment: TestWorkflowEnvironment): Promise<Map<string, string>> {
	const { workflow } = environment.client;
	const recorded = new Map<string, string>();

	async function record(
		overrides: Partial<Activities>,
		names: Record<string, string>,
		run: (taskQueue: string) => Promise<unknown>,
		before = true,
	) {
		const taskQueue = randomUUID();
		const worker = await testWorker(environment, taskQueue, fakedActivities(overrides, before).activities);
		await worker.runUntil(() => run(taskQueue).catch(() => undefined));
		for (const [name, id] of Object.entries(names)) {
			recorded.set(name, await historyJson(environment, id.replace("QUEUE", taskQueue)));
		}
	}

	const ingest = (taskQueue: string) =>
		workflow.execute(ingestCommit, {
			workflowId: `ingest/${taskQueue}`,
			taskQueue,
			args: [{ source: taskQueue, commit: COMMIT }],
		});
	const broken = () => {
		throw toFailure(new LodeError("STORE_CORRUPT", "graph: broken"), 1, false);
	};
	let asked = 0;
	await record({}, { "ingest-commit.published": "ingest/QUEUE" }, ingest);
	await record({ stageGraph: broken }, { "ingest-commit.parked": "ingest/QUEUE" }, ingest);
	const small = async () => ({
		...{ batches: 3, fileBatches: 2, files: { added: 2, changed: 1, removed: 0 } },
		small: true as const,
	});
	await record({ planChanges: small }, { "ingest-commit.small": "ingest/QUEUE" }, ingest);
	const follows = async () => ({ outcome: "started" as const, seq: 1, ingestion: "ing-1", follows: true as const });
	await record({ begin: follows, planChanges: small }, { "ingest-commit.follows": "ingest/QUEUE" }, ingest);
	let unreachable = 0;
	await record(
		{
			begin: follows,
			prepareCommit: async () => {
				if (unreachable++ === 0) throw toFailure(new LodeError("SOURCE_UNAVAILABLE", "git: away"), 1, false);
			},
		},
		{ "ingest-commit.follows-and-away": "ingest/QUEUE" },
		ingest,
	);
	let refused = 0;
	await record(
		{
			planChanges: small,
			stageVectors: async () => {
				if (refused++ < 4) throw toFailure(new LodeError("STORE_UNAVAILABLE", "vectors: away"), 1, false);
			},
		},
		{ "ingest-commit.small-and-away": "ingest/QUEUE" },
		ingest,
	);
	let verified = 0;
	await record(
		{
			verifyStaged: async () => {
				if (verified++ === 0) throw toFailure(new LodeError("VERIFICATION_FAILED", "vectors: less"), 1, false);
			},
		},
		{ "ingest-commit.staged-again": "ingest/QUEUE" },
		ingest,
	);
	let found = 0;
	await record(
		{
			verifyStaged: async () => {
				if (found++ < 2) throw toFailure(new LodeError("VERIFICATION_FAILED", `vectors: ${found} less`), 1, false);
			},
		},
		{ "ingest-commit.staged-again-and-again": "ingest/QUEUE" },
		ingest,
	);
	let away = 0;
	await record(
		{
			planChanges: async () => {
				if (away++ === 0) throw ApplicationFailure.nonRetryable("S3 does not answer", "STORE_UNAVAILABLE");
				return { batches: 1, fileBatches: 1, files: { added: 1, changed: 0, removed: 0 } };
			},
		},
		{ "ingest-commit.store-away": "ingest/QUEUE" },
		ingest,
	);
	await record(
		{ stageGraph: broken, discardVectors: async () => ({ repeatAfterMs: 100 }) },
		{ "ingest-commit.discarded-twice": "ingest/QUEUE" },
		ingest,
	);
	await record(
		{
			begin: async () =>
				asked++ === 0
					? { outcome: "stale", by: "ing-1", seq: 1 }
					: asked === 2
						? { outcome: "busy", by: "ing-2" }
						: { outcome: "started", seq: 3, ingestion: "ing-3" },
		},
		{ "ingest-commit.stale-and-busy": "ingest/QUEUE" },
		ingest,
	);
	await record(
		{ planChanges: async () => ({ batches: 205, fileBatches: 1, files: { added: 1, changed: 0, removed: 0 } }) },
		{ "ingest-commit.children": "ingest/QUEUE", "ingest-batches.child": "ingest/QUEUE/1/200" },
		ingest,
	);
	// What is written of a batch in one activity, and of a small change set side by side.
	await record({}, { "ingest-commit.together": "ingest/QUEUE" }, ingest, false);
	const smallNow = { begin: follows, planChanges: small };
	await record(smallNow, { "ingest-commit.small-together": "ingest/QUEUE" }, ingest, false);
	let refusedTogether = 0;
	await record(
		{
			...smallNow,
			stageVectors: async () => {
				if (refusedTogether++ < 4) throw toFailure(new LodeError("STORE_UNAVAILABLE", "vectors: away"), 1, false);
			},
		},
		{ "ingest-commit.small-together-and-away": "ingest/QUEUE" },
		ingest,
		false,
	);
	let verifiedTogether = 0;
	await record(
		{
			...smallNow,
			verifyStaged: async () => {
				if (verifiedTogether++ === 0) throw toFailure(new LodeError("VERIFICATION_FAILED", "vectors: less"), 1, false);
			},
		},
		{ "ingest-commit.staged-again-together": "ingest/QUEUE" },
		ingest,
		false,
	);
	await record(
		{ planChanges: async () => ({ batches: 205, fileBatches: 1, files: { added: 1, changed: 0, removed: 0 } }) },
		{ "ingest-commit.children-together": "ingest/QUEUE", "ingest-batches.child-together": "ingest/QUEUE/1/200" },
		ingest,
		false,
	);
	// Several lanes, of which single tasks bring the ends of several steps. (`ingest-commit.lanes` is the same, by the Lode that had an activity for each store.)
	let late = 0;
	const soon = () => new Promise<void>((resolve) => setTimeout(resolve, (late++ * 7) % 13));
	await record(
		{
			planChanges: async () => ({ batches: 40, fileBatches: 32, files: { added: 32, changed: 0, removed: 0 } }),
			mineBatch: async ({ index }) => ({ files: 1, failed: 0, chunks: index % 3 === 0 ? 0 : 4 }),
			embedBatch: async () => {
				await soon();
				return { embedded: 3, reused: 1 };
			},
			stageVectors: soon,
		},
		{ "ingest-commit.lanes-together": "ingest/QUEUE" },
		ingest,
		false,
	);
	await record({}, { "collect-garbage": "gc/QUEUE" }, (taskQueue) =>
		workflow.execute(collectGarbage, { workflowId: `gc/${taskQueue}`, taskQueue }),
	);
	await record({}, { "verify-snapshot": "verify/QUEUE" }, (taskQueue) =>
		workflow.execute(verifySnapshot, { workflowId: `verify/${taskQueue}`, taskQueue, args: [{}] }),
	);
	await record({}, { "reconcile-sources": "reconcile/QUEUE" }, (taskQueue) =>
		workflow.execute(reconcileSources, { workflowId: `reconcile/${taskQueue}`, taskQueue }),
	);
	await record({}, { "archive-events": "archive/QUEUE" }, (taskQueue) =>
		workflow.execute(archiveEvents, { workflowId: `archive/${taskQueue}`, taskQueue }),
	);
	await record({}, { "remove-source": "remove/QUEUE" }, (taskQueue) =>
		workflow.execute(removeSource, { workflowId: `remove/${taskQueue}`, taskQueue, args: [taskQueue] }),
	);
	const plans: Partial<ReindexPlan>[] = [{}, { head: 8, since: [8] }, { head: 8 }, { recipe: "r2" }, { recipe: "r2" }];
	await record(
		{
			planReindex: async () => ({ pending: true, recipe: "r", head: 7, since: [], files: 3, ...plans.shift() }),
			readyGroups: async (_, recipe) => recipe === "r2",
		},
		{ "reindex-source.switched": "reindex/QUEUE" },
		(taskQueue) =>
			workflow.execute(reindexSource, {
				workflowId: `reindex/${taskQueue}`,
				taskQueue,
				args: [{ source: taskQueue }],
			}),
	);
	let pending = ["a".repeat(40), "b".repeat(40)];
	await record(
		{
			pendingCommits: async () => pending,
			planChanges: async (seq) =>
				seq === 0 ? broken() : { batches: 0, fileBatches: 0, files: { added: 0, changed: 0, removed: 0 } },
		},
		{ "follow-source.requests-and-hints": "source/QUEUE" },
		async (taskQueue) => {
			const startWorkflowOperation = () =>
				new WithStartWorkflowOperation(followSource, {
					workflowId: `source/${taskQueue}`,
					taskQueue,
					args: [{ source: taskQueue, policy: "every" }],
					workflowIdConflictPolicy: "USE_EXISTING",
				});
			await workflow.executeUpdateWithStart(ingestUpdate, {
				args: [{ commit: COMMIT }],
				startWorkflowOperation: startWorkflowOperation(),
			});
			const handle = workflow.getHandle(`source/${taskQueue}`);
			await handle.signal(refChangedSignal);
			await new Promise((resolve) => setTimeout(resolve, 3_000));
			pending = [];
			await handle.signal(refChangedSignal);
			await handle.signal(stopSignal);
			await handle.result();
		},
	);
	let [begun, looked] = [0, 0];
	await record(
		{
			pendingCommits: async () => {
				if (looked++ === 0) throw ApplicationFailure.nonRetryable("S3 does not answer", "STORE_UNAVAILABLE");
				return begun < 2 ? ["a".repeat(40)] : [];
			},
			begin: async () => {
				if (begun++ === 0) throw ApplicationFailure.nonRetryable("the disk is full", "DISK_FULL");
				return { outcome: "started", seq: 1, ingestion: "ing-1" };
			},
		},
		{ "follow-source.look-again": "source/QUEUE" },
		async (taskQueue) => {
			const handle = await workflow.start(followSource, {
				workflowId: `source/${taskQueue}`,
				taskQueue,
				args: [{ source: taskQueue, policy: "every" }],
			});
			await handle.signal(refChangedSignal);
			while (begun < 2) await new Promise((resolve) => setTimeout(resolve, 50));
			await handle.signal(stopSignal);
			await handle.result();
		},
	);
	const traced = tracedClient(environment).workflow;
	await record({}, { "ingest-commit.traced": "ingest/QUEUE" }, (taskQueue) =>
		traced.execute(ingestCommit, {
			workflowId: `ingest/${taskQueue}`,
			taskQueue,
			args: [{ source: taskQueue, commit: COMMIT }],
		}),
	);
	let unlooked = true;
	await record(
		{
			pendingCommits: async () => {
				if (!unlooked) return [];
				unlooked = false;
				return ["a".repeat(40)];
			},
		},
		{ "follow-source.traced": "source/QUEUE" },
		async (taskQueue) => {
			const options = {
				workflowId: `source/${taskQueue}`,
				taskQueue,
				args: [{ source: taskQueue, policy: "every" }] as Parameters<typeof followSource>,
				workflowIdConflictPolicy: "USE_EXISTING" as const,
			};
			await traced.executeUpdateWithStart(ingestUpdate, {
				args: [{ commit: COMMIT }],
				startWorkflowOperation: new WithStartWorkflowOperation(followSource, options),
			});
			const handle = await traced.signalWithStart(followSource, {
				...options,
				signal: refChangedSignal,
				signalArgs: [],
			});
			await new Promise((resolve) => setTimeout(resolve, 3_000));
			await handle.signal(stopSignal);
			await handle.result();
		},
	);
	return recorded;
}

/** A client whose calls belong to a trace, as that of a gateway which makes traces. */
function tracedClient({ connection, namespace }: TestWorkflowEnvironment): Client {
	const payload = defaultPayloadConverter.toPayload({ traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` });
	const header = { [TRACE_HEADER]: payload };
	const interceptor: WorkflowClientInterceptor = {
		startWithDetails: (input, next) => next({ ...input, headers: { ...input.headers, ...header } }),
		signalWithStart: (input, next) => next({ ...input, headers: { ...input.headers, ...header } }),
		startUpdateWithStart: (input, next) =>
			next({ ...input, workflowStartHeaders: header, updateHeaders: { ...input.updateHeaders, ...header } }),
	};
	return new Client({ connection, namespace: namespace ?? "default", interceptors: { workflow: [interceptor] } });
}
