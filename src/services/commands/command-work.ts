import {
	type Client,
	isGrpcServiceError,
	WithStartWorkflowOperation,
	WorkflowIdConflictPolicy,
	WorkflowIdReusePolicy,
	WorkflowNotFoundError,
} from "@temporalio/client";
import type { JsonObject } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import { sourceId } from "../../domain/keys.js";
import type { SourceAdapter } from "../../sources/source.port.js";
import type { Catalog, Ingestion, Source, SourceKind } from "../../stores/catalog/catalog.port.js";
import { ingestUpdate } from "../../workflows/contracts/follow-source.js";
import { COLLECT_WORKFLOW_ID, removeWorkflowId, verifyWorkflowId } from "../../workflows/contracts/ids.js";
import type { IngestOutcome } from "../../workflows/contracts/ingest-commit.js";
import type { followSource } from "../../workflows/follow-source.js";
import type { collectGarbage, removeSource, verifySnapshot } from "../../workflows/maintenance.js";
import { numberedAt, parseAt } from "../at.js";
import { stillUndone } from "../ingestion/await-outcome.js";
import { ensureSource, type NewSourcePorts } from "../ingestion/ensure-source.js";
import { followOptions } from "../ingestion/follow-options.js";
import { matchSource } from "../reading/match-source.js";
import { readableSources, requireSource } from "../recipe.js";
import type { CommandKind, CommandProgress, CommandRequest } from "./command.js";
import type { RecordedCommand, WorkRef } from "./command-log.js";
import { createGroupWork, type GroupWorkPorts } from "./group-work.js";

export interface WorkPorts extends NewSourcePorts, GroupWorkPorts {
	readonly catalog: Catalog;
	readonly sources: { recognise(target: string): Promise<SourceAdapter> };
	/** Connected when it is first needed. @throws TEMPORAL_UNAVAILABLE */
	readonly temporal: () => Promise<Client>;
}

/** One kind of command. */
export interface Work<R extends CommandRequest = CommandRequest> {
	/** Checks the request and completes it, so that a repeat works on the same; changes nothing. */
	resolve(request: R): Promise<JsonObject>;
	/** Starts it, as often as it is called: the same work then goes on. Undefined where there is nothing to wait for. */
	start(command: RecordedCommand): Promise<WorkRef | undefined>;
	/** What came of it, when it has come. */
	outcome(command: RecordedCommand, ref: WorkRef | undefined): Promise<JsonObject>;
	/** How far it is, where that is not told by an ingestion. */
	progress?(ref: WorkRef, command: RecordedCommand): Promise<CommandProgress | undefined>;
}

/** How long Temporal and a worker may take to accept. Milliseconds. */
const ACCEPT_MS = 10_000;
const LATE_MS = 30_000;

interface IngestWork {
	readonly source: string;
	readonly kind: SourceKind;
	readonly address: string;
	readonly branch: string;
	readonly commit: string;
}

export function createWork(ports: WorkPorts): { [K in CommandKind]: Work<Extract<CommandRequest, { kind: K }>> } {
	const { catalog } = ports;
	const within = async <T>(ask: (temporal: Client) => Promise<T>): Promise<T> => {
		const temporal = await ports.temporal();
		return temporal.withDeadline(Date.now() + ACCEPT_MS, () => ask(temporal));
	};

	async function target(wanted: string, ref: string | undefined) {
		return (await ports.sources.recognise(wanted)).resolve(wanted, ref);
	}

	/** The update's id is the command's: however often it is sent, the workflow takes it once. */
	async function sendIngest(command: RecordedCommand, source: Source, unlessPassed: boolean): Promise<WorkRef> {
		const { commit } = command.work as unknown as IngestWork;
		const options = followOptions(source, ports.taskQueue);
		const handle = await within((temporal) =>
			temporal.workflow.startUpdateWithStart(ingestUpdate, {
				updateId: command.id,
				args: [{ commit, unlessPassed }],
				waitForStage: "ACCEPTED",
				startWorkflowOperation: new WithStartWorkflowOperation<typeof followSource>("followSource", options),
			}),
		);
		return { workflowId: options.workflowId, runId: handle.workflowRunId ?? null, updateId: command.id };
	}

	async function ingestOutcome(command: RecordedCommand, ref: WorkRef | undefined): Promise<JsonObject> {
		const { workflowId, runId, updateId } = ref as WorkRef;
		const temporal = await ports.temporal();
		try {
			const handle = temporal.workflow
				.getHandle(workflowId)
				.getUpdateHandle<IngestOutcome>(updateId as string, { workflowRunId: runId ?? undefined });
			const { outcome, ingestion, snapshot, stats } = await handle.result();
			return { outcome, ingestion, snapshot, ...(stats as unknown as JsonObject) };
		} catch (error) {
			if (!isForgotten(error)) throw error;
			// Temporal keeps histories for a time only; the catalog knows what became of the commit.
			return catalogOutcome(catalog, command);
		}
	}

	async function workflowOutcome(ref: WorkRef | undefined): Promise<unknown> {
		const { workflowId, runId } = ref as WorkRef;
		return (await ports.temporal()).workflow.getHandle(workflowId, runId ?? undefined).result();
	}

	const asking = {
		within,
		outcome: (ref: WorkRef) =>
			workflowOutcome(ref).catch((error: unknown) => {
				if (!isForgotten(error)) throw error;
			}),
	};

	return {
		...createGroupWork(ports, asking),

		"create-source": {
			async resolve({ target: wanted, ref, policy = "every" }) {
				const { kind, address, branch } = await target(wanted, ref);
				return { source: sourceId(address, branch), kind, address, branch, policy };
			},
			start: async () => undefined,
			async outcome({ work }) {
				const { kind, address, branch, policy } = work as unknown as IngestWork & Source;
				const source = await ensureSource(ports, { kind, address, branch }, policy);
				return { source: { ...source } };
			},
		},

		ingest: {
			async resolve({ target: wanted, source, ref }) {
				if ((wanted === undefined) === (source === undefined)) {
					throw new LodeError("USAGE", "give either a target or a source");
				}
				const known = source === undefined ? undefined : matchSource(await readableSources(catalog), source);
				const found = await target(known?.address ?? (wanted as string), ref ?? (known?.branch || undefined));
				const { kind, address, commit } = found;
				const branch = known?.branch ?? found.branch;
				return { source: known?.id ?? sourceId(address, branch), kind, address, branch, commit };
			},
			async start(command) {
				const { kind, address, branch } = command.work as unknown as IngestWork;
				// One that is sent again after a while may have been taken then: it must not move the source back.
				const late = Date.now() - Date.parse(command.acceptedAt) > LATE_MS;
				return sendIngest(command, await ensureSource(ports, { kind, address, branch }), late);
			},
			outcome: ingestOutcome,
		},

		retry: {
			async resolve({ ingestion: id }) {
				const ingestion = await requireIngestion(catalog, id);
				if (ingestion.status === "published" || ingestion.status === "staging") {
					throw new LodeError("USAGE", `ingestion ${id} is ${ingestion.status}: there is nothing to retry`);
				}
				return { source: ingestion.source, commit: ingestion.commit, ingestion: id };
			},
			async start(command) {
				const { source } = command.work as unknown as IngestWork;
				return sendIngest(command, await requireSource(catalog, source), true);
			},
			outcome: ingestOutcome,
			async progress(_ref, { work }) {
				const before = await requireIngestion(catalog, String(work.ingestion));
				if (before.status !== "aborted") return undefined;
				const none = { filesDone: 0, filesTotal: 0, chunks: 0, embedded: 0, reused: 0 };
				return { ...none, stage: "waiting", detail: `${stillUndone(before)}: it is tried again when that is done` };
			},
		},

		cancel: {
			async resolve({ ingestion: id }) {
				const { source, commit, status, workflowId, runId } = await requireIngestion(catalog, id);
				if (status !== "staging" && status !== "aborted") {
					throw new LodeError("USAGE", `ingestion ${id} is ${status}: there is nothing to cancel`);
				}
				return { source, commit, ingestion: id, workflowId, runId };
			},
			async start({ work }) {
				const { workflowId, runId } = work as unknown as WorkRef;
				await within(async (temporal) => {
					await temporal.workflow
						.getHandle(workflowId, runId ?? undefined)
						.cancel()
						.catch((error: unknown) => {
							if (!(error instanceof WorkflowNotFoundError)) throw error;
						});
				});
				return { workflowId, runId, updateId: null };
			},
			async outcome({ work }, ref) {
				// It ends as cancelled, or was quicker: either is what came of it.
				await workflowOutcome(ref).catch((error: unknown) => {
					if (isGrpcServiceError(error) && !isForgotten(error)) throw error;
				});
				const { id, status } = await requireIngestion(catalog, String(work.ingestion));
				return { ingestion: id, status };
			},
		},

		"delete-source": {
			async resolve({ source }) {
				return { source: (await requireSource(catalog, source)).id };
			},
			async start({ work }) {
				const source = String(work.source);
				const workflowId = removeWorkflowId(source);
				const { firstExecutionRunId } = await within((temporal) =>
					temporal.workflow.start<typeof removeSource>("removeSource", {
						workflowId,
						taskQueue: ports.taskQueue,
						args: [source],
						workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
						workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
					}),
				);
				return { workflowId, runId: firstExecutionRunId, updateId: null };
			},
			async outcome({ work }, ref) {
				await workflowOutcome(ref);
				return { source: work.source };
			},
		},

		verify: {
			async resolve({ source: wanted, at }) {
				const sources = await readableSources(catalog);
				const source = wanted === undefined ? undefined : matchSource(sources, wanted).id;
				const scope = source === undefined ? sources.map(({ id }) => id) : [source];
				const { number } = await catalog.snapshot(parseAt(at, source), scope);
				return { ...(source !== undefined && { source }), at: numberedAt(number) };
			},
			async start({ id, work }) {
				const { source, at } = work as unknown as { source?: string; at: string };
				const workflowId = verifyWorkflowId(id);
				const { firstExecutionRunId } = await within((temporal) =>
					temporal.workflow.start<typeof verifySnapshot>("verifySnapshot", {
						workflowId,
						taskQueue: ports.taskQueue,
						args: [{ source, at }],
						workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
						workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
					}),
				);
				return { workflowId, runId: firstExecutionRunId, updateId: null };
			},
			async outcome(_command, ref) {
				return (await workflowOutcome(ref)) as JsonObject;
			},
		},

		"collect-garbage": {
			resolve: async () => ({}),
			async start() {
				const { firstExecutionRunId } = await within((temporal) =>
					temporal.workflow.start<typeof collectGarbage>("collectGarbage", {
						workflowId: COLLECT_WORKFLOW_ID,
						taskQueue: ports.taskQueue,
						workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
					}),
				);
				return { workflowId: COLLECT_WORKFLOW_ID, runId: firstExecutionRunId, updateId: null };
			},
			async outcome(_command, ref) {
				return (await workflowOutcome(ref)) as JsonObject;
			},
		},
	};
}

/** Temporal does not know it any more, or that run of it. */
function isForgotten(error: unknown): boolean {
	return error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && error.code === 5);
}

async function requireIngestion(catalog: Pick<Catalog, "ingestion">, id: string): Promise<Ingestion> {
	const ingestion = await catalog.ingestion(id);
	if (ingestion) return ingestion;
	throw new LodeError("INGESTION_NOT_FOUND", `there is no ingestion ${id}`, { next: "List them first." });
}

/** The one that the command ended with; before that, the latest ingestion of its commit that began after it. */
export async function ingestionOf(
	catalog: Pick<Catalog, "ingestion" | "ingestions">,
	{ work, acceptedAt }: RecordedCommand,
	ended?: string,
): Promise<Ingestion | undefined> {
	if (ended !== undefined) return catalog.ingestion(ended);
	const { source, commit } = work as unknown as IngestWork;
	if (source === undefined || commit === undefined) return undefined;
	const [latest] = await catalog.ingestions({ source, commit, limit: 1 });
	return latest !== undefined && latest.startedAt >= acceptedAt ? latest : undefined;
}

async function catalogOutcome(catalog: Catalog, command: RecordedCommand): Promise<JsonObject> {
	const ingestion = await ingestionOf(catalog, command);
	if (ingestion?.status === "published") {
		const { id, snapshot = null, stats } = ingestion;
		return { outcome: "published", ingestion: id, snapshot, ...(stats as unknown as JsonObject) };
	}
	const {
		code = "INGESTION_FAILED",
		message = "what came of it is not known any more",
		next,
	} = ingestion?.failure ?? {};
	throw new LodeError("INGESTION_FAILED", `${code}: ${message}`, { next: next ?? "Ingest the commit again." });
}
