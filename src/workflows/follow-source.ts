import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import {
	ApplicationFailure,
	allHandlersFinished,
	condition,
	continueAsNew,
	executeChild,
	log,
	ParentClosePolicy,
	patched,
	proxyActivities,
	setCurrentDetails,
	setHandler,
	upsertSearchAttributes,
	workflowInfo,
} from "@temporalio/workflow";
import type { IngestionActivities } from "../activities/activity-types.js";
import {
	type FollowSourceInput,
	followStateQuery,
	type IngestRequest,
	ingestUpdate,
	PENDING_A_LOOK,
	refChangedSignal,
	stopSignal,
} from "./contracts/follow-source.js";
import { ingestWorkflowId } from "./contracts/ids.js";
import type { IngestOutcome } from "./contracts/ingest-commit.js";
import { failureOf } from "./failure.js";
import { ingestCommit } from "./ingest-commit.js";
import { LookPauses, mayPass, neverBegan } from "./look-again.js";
import { EXTERNAL_READ } from "./retry-profiles.js";
import { SourceQueue } from "./source-queue.js";
import { currentTrace, inTrace } from "./tracing/current-trace.js";

const external = proxyActivities<Pick<IngestionActivities, "pendingCommits" | "awaitIngestion">>(EXTERNAL_READ);

/**
 * One for every source, for ever: keeps the order of its commits, one ingestion at a time. Requests name a commit; hints only
 * say that the ref may have moved. Continues as new when its history grows, after its handlers are drained.
 */
export async function followSource(input: FollowSourceInput): Promise<void> {
	const queue = new SourceQueue(input.waiting ?? [], input.refChanged ?? false, input.trace);
	setHandler(
		ingestUpdate,
		async (request) => {
			const queued = queue.add(request, currentTrace());
			await condition(() => queued.done);
			if (queued.outcome) return queued.outcome;
			throw toUpdateFailure(queued.failure);
		},
		{
			validator: (request) => {
				if (!/^[0-9a-f]{7,64}$/.test(request.commit)) throw new Error("commit must be a full commit id");
				if (queue.stopping) throw new Error("the source is being removed");
			},
		},
	);
	setHandler(refChangedSignal, () => queue.hint(currentTrace()));
	setHandler(stopSignal, () => {
		queue.stopping = true;
	});
	setHandler(followStateQuery, () => ({ running: queue.running, waiting: queue.waiting }));
	upsertSearchAttributes({ LodeSource: [input.source] });
	const pauses = new LookPauses();
	/** Nobody may ask again: what could not be looked at, or could not begin, is looked for again. A request does not wait for that. */
	const lookAgain = async () => {
		queue.replaceFound([], PENDING_A_LOOK);
		queue.refChanged = true;
		await condition(() => queue.hasRequests || queue.stopping, pauses.next());
	};

	for (;;) {
		setCurrentDetails(`following \`${input.source}\`, policy ${input.policy}; ${queue.waiting.length} waiting`);
		await condition(() => !queue.idle || queue.stopping || workflowInfo().continueAsNewSuggested);
		if (queue.stopping) {
			await refuseWaiting(queue);
			return;
		}
		const queued = queue.nextRequest();
		if (queued) {
			try {
				const { request, trace } = queued;
				queued.outcome = await inTrace(trace, () => ingestInOrder(input.source, request, queue));
			} catch (error) {
				queued.failure = error;
			}
			queued.done = true;
		} else if (queue.refChanged) {
			queue.look();
			try {
				const found = await inTrace(queue.trace, () => external.pendingCommits(input.source, input.policy));
				queue.replaceFound(found, PENDING_A_LOOK);
			} catch (error) {
				// A repository that cannot be read now must not end the workflow: the next hint looks again.
				log.warn("the ref could not be looked at", { source: input.source, code: failureOf(error).code });
				// Asked only after a failure: histories without one have no marker, and need none.
				if (mayPass(error) && patched("look-again")) await lookAgain();
			}
		} else {
			const commit = queue.nextFound();
			const began =
				commit === undefined || (await inTrace(queue.trace, () => ingestFound(input.source, commit, queue)));
			if (began) pauses.reset();
			if (!began && patched("look-again")) await lookAgain();
			else queue.lookAgainAtEnd();
		}
		if (workflowInfo().continueAsNewSuggested && !queue.hasRequests) {
			await condition(allHandlersFinished);
			// A request may have come while the handlers drained: it is served first. So may a stop, which the next run would not know of.
			if (!queue.hasRequests && !queue.stopping) {
				await continueAsNew<typeof followSource>({ ...input, ...queue.carried });
			}
		}
	}
}

async function ingestInOrder(source: string, request: IngestRequest, queue: SourceQueue): Promise<IngestOutcome> {
	const workflowId = ingestWorkflowId(source, request.commit);
	queue.running = request.commit;
	try {
		for (;;) {
			try {
				return await executeChild(ingestCommit, {
					workflowId,
					args: [{ source, commit: request.commit, unlessPassed: request.unlessPassed ?? false }],
					parentClosePolicy: ParentClosePolicy.ABANDON,
					searchAttributes: { LodeSource: [source], LodeCommit: [request.commit] },
					staticSummary: `ingest ${request.commit.slice(0, 12)} of ${source}`,
					workflowTaskTimeout: "5 seconds",
				});
			} catch (error) {
				if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
				// An earlier run of this workflow left it: wait for it, then ask again, which finds the commit published.
				log.info("found a running ingestion of the same commit", { workflowId });
				await external.awaitIngestion(workflowId);
			}
		}
	} finally {
		queue.running = null;
	}
}

/**
 * A found commit that cannot be ingested is parked by its own workflow; the next one goes on from the last published. False where its ingestion
 * did not even begin.
 */
async function ingestFound(source: string, commit: string, queue: SourceQueue): Promise<boolean> {
	try {
		const { outcome } = await ingestInOrder(source, { commit, unlessPassed: true }, queue);
		if (outcome === "published") queue.cameForward();
		return true;
	} catch (error) {
		const began = !neverBegan(error);
		log.warn(began ? "commit parked" : "a commit could not begin", { source, commit, code: failureOf(error).code });
		return began;
	}
}

async function refuseWaiting(queue: SourceQueue): Promise<void> {
	for (let queued = queue.nextRequest(); queued; queued = queue.nextRequest()) {
		queued.failure = ApplicationFailure.nonRetryable("the source is being removed", "SOURCE_NOT_FOUND");
		queued.done = true;
	}
	await condition(allHandlersFinished);
}

function toUpdateFailure(error: unknown): ApplicationFailure {
	const failure = failureOf(error);
	return ApplicationFailure.create({
		message: failure.message,
		type: failure.code,
		nonRetryable: true,
		details: [{ next: failure.next ?? null }],
	});
}
