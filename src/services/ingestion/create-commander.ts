import { randomUUID } from "node:crypto";
import {
	type Client,
	WorkflowIdConflictPolicy,
	WorkflowIdReusePolicy,
	WorkflowNotFoundError,
} from "@temporalio/client";
import { LodeError } from "../../domain/errors.js";
import type { IndexingVersions } from "../../mining/indexing-versions.js";
import type { SourceAdapter } from "../../sources/source.port.js";
import type { Catalog, Ingestion, Source } from "../../stores/catalog/catalog.port.js";
import { COLLECT_WORKFLOW_ID, ingestWorkflowId, removeWorkflowId } from "../../workflows/contracts/ids.js";
import type { collectGarbage as collectWorkflow, removeSource } from "../../workflows/maintenance.js";
import { createGroupCommands } from "../groups/change-groups.js";
import type { IngestOptions, LodeCommander } from "../lode.js";
import { parkedIngestions } from "../reading/create-reader.js";
import { recipeOf, requireSource } from "../recipe.js";
import type { CollectReport, IngestReport, RemoveReport, RetryReport, StatusReport } from "../reports.js";
import { type AuditLocal, NOT_AUDITED, type Tell } from "../security/audit-local.js";
import { awaitBegin } from "./await-begin.js";
import { awaitOutcome, type Undoing } from "./await-outcome.js";
import { ensureSource, type NewSourcePorts } from "./ensure-source.js";
import { persistently } from "./persistently.js";
import { startIngest } from "./start-ingest.js";
import { fromWorkflowError } from "./workflow-errors.js";

export interface CommanderPorts extends NewSourcePorts {
	readonly catalog: Catalog;
	readonly sources: { recognise(target: string): Promise<SourceAdapter> };
	/** Whether a configured provider serves a model. */
	readonly serves: (model: string) => boolean;
	/** As the workers have them: part of what makes a commit unchanged. */
	readonly plugins?: IndexingVersions;
	readonly temporal: Client;
	/** Where this installation's workers poll. */
	readonly taskQueue: string;
	/** None where omitted. */
	readonly audit?: AuditLocal;
	readonly close: () => Promise<void>;
}

/** The use cases that start or steer workflows. */
export function createCommander(ports: CommanderPorts): LodeCommander {
	const { catalog, temporal, audit = NOT_AUDITED } = ports;

	/** The head is this commit, made by the present recipe: nothing to start. */
	async function unchanged(source: Source, commit: string): Promise<Ingestion | undefined> {
		const [latest] = await catalog.ingestions({ source: source.id, status: ["published"], limit: 1 });
		if (latest?.commit !== commit || latest.recipe !== (await recipeOf(catalog, source.id, ports.plugins)))
			return undefined;
		const busy = await catalog.ingestions({ source: source.id, status: ["staging", "aborted"], limit: 1 });
		return busy.length === 0 ? latest : undefined;
	}

	async function ingestCommit(
		source: Source,
		commit: string,
		unlessPassed: boolean,
		options: IngestOptions,
		tell: Tell,
		undoing?: Undoing,
	): Promise<IngestReport> {
		const started = performance.now();
		const took = () => Math.round(performance.now() - started);
		const workflowId = ingestWorkflowId(source.id, commit);
		// One id for every attempt: a server that went away and came back answers with what it accepted before.
		const updateId = randomUUID();
		const accept = async () => {
			const handle = await startIngest(temporal, ports.taskQueue, source, updateId, { commit, unlessPassed });
			await tell("accepted", { source: source.id });
			return handle;
		};
		if (options.noWait) {
			const begun = await awaitBegin(catalog, source.id, commit, () => persistently(accept, options.signal));
			const known = begun && { ingestion: begun.id, runId: begun.runId };
			return { ...emptyReport(source.id, commit, workflowId), ...known, outcome: "started", durationMs: took() };
		}
		const outcome = await persistently(
			async () => awaitOutcome(temporal, await accept(), workflowId, options, undoing),
			options.signal,
		);
		const { stats } = outcome;
		return {
			ingestion: outcome.ingestion,
			source: source.id,
			commit,
			snapshot: outcome.snapshot,
			outcome: outcome.outcome,
			...stats,
			durationMs: took(),
			workflowId: outcome.workflowId,
			runId: outcome.runId,
		};
	}

	return {
		ingest: (target, options) => audit("ingest", (tell) => ingest(target, options, tell)),
		retry: (id, options) => audit("retry", (tell) => retry(id, options, tell)),
		cancel: (id) => audit("cancel", (tell) => cancel(id, tell)),
		remove: (source) => audit("delete-source", (tell) => remove(source, tell)),
		collectGarbage: () => audit("collect-garbage", collectGarbage),
		...createGroupCommands(ports),
		close: ports.close,
	};

	async function ingest(target: string, options: IngestOptions, tell: Tell): Promise<IngestReport> {
		const adapter = await ports.sources.recognise(target);
		const resolved = await adapter.resolve(target, options.ref);
		const source = await ensureSource(ports, resolved);
		const started = performance.now();
		const head = await unchanged(source, resolved.commit);
		if (head) {
			await tell("done", { source: source.id });
			return {
				...emptyReport(source.id, resolved.commit, head.workflowId),
				ingestion: head.id,
				snapshot: head.snapshot ?? null,
				outcome: "unchanged",
				durationMs: Math.round(performance.now() - started),
				runId: head.runId,
			};
		}
		return ingestCommit(source, resolved.commit, false, options, tell);
	}

	async function retry(id: string | undefined, options: IngestOptions, tell: Tell): Promise<RetryReport> {
		const wanted = id === undefined ? await failedIngestions() : [await requireIngestion(id)];
		const report: { retried: IngestReport[]; failed: RetryReport["failed"][number][] } = { retried: [], failed: [] };
		// Oldest first: the order of the source's log.
		for (const ingestion of wanted.sort((a, b) => a.seq - b.seq)) {
			if (ingestion.status === "published" || ingestion.status === "staging") {
				throw new LodeError("USAGE", `ingestion ${ingestion.id} is ${ingestion.status}: there is nothing to retry`, {
					next: "lode status",
				});
			}
			try {
				const source = await requireSource(catalog, ingestion.source);
				report.retried.push(await ingestCommit(source, ingestion.commit, true, options, tell, undoingOf(ingestion)));
			} catch (error) {
				if (!(error instanceof LodeError) || error.code === "CANCELLED" || wanted.length === 1) throw error;
				report.failed.push({
					ingestion: ingestion.id,
					failure: {
						code: error.code,
						message: error.message,
						...(error.next !== undefined && { next: error.next }),
					},
				});
			}
		}
		return report;
	}

	/** Parked, or soon to be: what a user cancelled is left alone. */
	async function failedIngestions(): Promise<Ingestion[]> {
		const aborted = await catalog.ingestions({ status: ["aborted"], limit: 1_000 });
		const undoing = aborted.filter(({ failure }) => failure?.code !== "CANCELLED");
		const parked = await parkedIngestions(catalog);
		// A source has one at most that is not ended.
		return [...undoing, ...parked.filter((one) => !undoing.some((other) => isSameWork(one, other)))];
	}

	function undoingOf({ id, status, failure }: Ingestion): Undoing | undefined {
		if (status !== "aborted") return undefined;
		const ended = async () => (await requireIngestion(id)).status !== "aborted";
		return { id, ...(failure && { failure }), ended };
	}

	async function cancel(id: string, tell: Tell): Promise<StatusReport> {
		const ingestion = await requireIngestion(id);
		if (ingestion.status !== "staging" && ingestion.status !== "aborted") {
			throw new LodeError("USAGE", `ingestion ${id} is ${ingestion.status}: there is nothing to cancel`, {
				next: "lode status",
			});
		}
		const handle = temporal.workflow.getHandle(ingestion.workflowId, ingestion.runId);
		try {
			await handle.cancel();
			await tell("accepted", { source: ingestion.source });
			await handle.result().catch(() => undefined);
		} catch (error) {
			if (!(error instanceof WorkflowNotFoundError)) throw fromWorkflowError(error);
		}
		return { ingestions: [await requireIngestion(id)], parked: 0, temporalUi: null };
	}

	async function remove(source: string, tell: Tell): Promise<RemoveReport> {
		await requireSource(catalog, source);
		const workflowId = removeWorkflowId(source);
		try {
			const handle = await temporal.workflow.start<typeof removeSource>("removeSource", {
				workflowId,
				taskQueue: ports.taskQueue,
				args: [source],
				workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
				workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
			});
			await tell("accepted", { source });
			await handle.result();
		} catch (error) {
			throw fromWorkflowError(error);
		}
		return { source, workflowId };
	}

	async function collectGarbage(tell: Tell): Promise<CollectReport> {
		try {
			const handle = await temporal.workflow.start<typeof collectWorkflow>("collectGarbage", {
				workflowId: COLLECT_WORKFLOW_ID,
				taskQueue: ports.taskQueue,
				workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
			});
			await tell("accepted");
			return await handle.result();
		} catch (error) {
			throw fromWorkflowError(error);
		}
	}

	async function requireIngestion(id: string): Promise<Ingestion> {
		const ingestion = await catalog.ingestion(id);
		if (!ingestion)
			throw new LodeError("INGESTION_NOT_FOUND", `there is no ingestion ${id}`, {
				next: "list them with: lode status",
			});
		return ingestion;
	}
}

function isSameWork(one: Ingestion, other: Ingestion): boolean {
	return one.source === other.source && one.commit === other.commit;
}

function emptyReport(source: string, commit: string, workflowId: string): Omit<IngestReport, "outcome" | "durationMs"> {
	return {
		ingestion: null,
		source,
		commit,
		snapshot: null,
		files: { added: 0, changed: 0, removed: 0, failed: 0 },
		entities: 0,
		chunks: 0,
		embedded: 0,
		reused: 0,
		workflowId,
		runId: null,
	};
}
