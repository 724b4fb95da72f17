import {
	ApplicationFailure,
	CancellationScope,
	ChildWorkflowCancellationType,
	executeChild,
	isCancellation,
	log,
	ParentClosePolicy,
	proxyActivities,
	proxyLocalActivities,
	setCurrentDetails,
	setHandler,
	sleep,
	upsertSearchAttributes,
	workflowInfo,
} from "@temporalio/workflow";
import type {
	CompensationActivities,
	DiscardAnswer,
	IngestionActivities,
	PlanAnswer,
} from "../activities/activity-types.js";
import type { Failure, IngestionStats } from "../stores/catalog/catalog.port.js";
import {
	addCounts,
	type BatchCounts,
	type IngestCommitInput,
	type IngestOutcome,
	type IngestState,
	ingestStateQuery,
	NO_COUNTS,
	type Stage,
} from "./contracts/ingest-commit.js";
import { failureOf } from "./failure.js";
import { ingestBatch, ingestBatches, ingestBatchRange, ingestSmall } from "./ingest-batches.js";
import { outlastStores } from "./outlast-stores.js";
import { PLANNING, planningLocally } from "./planning-steps.js";
import { LONG_STORE_WRITE, SHORT } from "./retry-profiles.js";
import { ACTIVITIES, BATCHES_AT_ONCE, LOCAL_FIRST } from "./steps.js";
import { ACTIVITIES_BEFORE, ingestBatchBefore, LOCAL_FIRST_BEFORE } from "./steps-before.js";
import { untilVerified } from "./until-verified.js";

/** More batches than this go to children, so that no history comes near Temporal's limits. */
const BATCHES_A_HISTORY = 200;

const catalog = proxyLocalActivities<Pick<IngestionActivities, "begin" | "publish" | "abort" | "release">>(SHORT);
/** One call each for the whole change set, a repository that comes for the first time included. */
const compensation = proxyActivities<CompensationActivities>(LONG_STORE_WRITE);

/**
 * Takes a source from its last published commit to another one: begin, prepare, diff, mine → embed → stage per batch, link,
 * verify, publish. Whatever fails for good is discarded in every store and parked. Payloads are references only.
 */
export async function ingestCommit(input: IngestCommitInput): Promise<IngestOutcome> {
	const { workflowId, runId } = workflowInfo();
	const progress = new Progress(input);
	setHandler(ingestStateQuery, () => progress.state);

	progress.enter("begin", "asking the catalog for a number");
	const begun = await begin(input, workflowId, runId);
	if (begun.outcome !== "started") {
		progress.enter("done", begun.outcome === "unchanged" ? "nothing new" : "a later commit is published");
		return {
			outcome: begun.outcome,
			ingestion: begun.ingestion.id,
			source: input.source,
			commit: input.commit,
			snapshot: begun.snapshot,
			stats: NOTHING,
			workflowId: begun.ingestion.workflowId,
			runId: begun.ingestion.runId,
		};
	}
	const { seq } = begun;
	if (begun.follows) progress.briefly();
	const planning = begun.follows ? planningLocally(() => progress.tell()) : PLANNING;
	try {
		progress.enter("prepare", "bringing the commit here");
		await outlastStores(() => planning.prepareCommit(seq));
		progress.enter("diff", "comparing with the last published commit");
		const plan = await outlastStores(() => planning.planChanges(seq));
		const stats = await untilVerified(seq, async (again) => {
			const locally = plan.small === true && !again;
			progress.plan(plan);
			const counts = await ingestAll(seq, input.source, plan, progress, locally, again);
			progress.enter("link", "resolving names, writing the manifest");
			const [links] = await linked(seq, plan, locally);
			progress.enter("verify", "asking every store what it holds");
			await (locally ? LOCAL_FIRST : ACTIVITIES).verifyStaged(seq);
			return statsOf(plan, counts, links.entities);
		});
		progress.enter("publish", "making it visible");
		const { ingestion, snapshot } = await catalog.publish(seq, stats);
		progress.enter("done", `published as snapshot ${snapshot}`);
		return {
			outcome: "published",
			ingestion: ingestion.id,
			source: input.source,
			commit: input.commit,
			snapshot,
			stats,
			workflowId,
			runId,
		};
	} catch (error) {
		const failure = failureOf(error);
		progress.fail(failure);
		if (!(await discard(seq, failure, isCancellation(error) ? "cancelled" : "parked"))) {
			// Published before the cancellation came, or before its answer got lost: a repeat gives the first answer.
			const { ingestion, snapshot } = await CancellationScope.nonCancellable(() => catalog.publish(seq, NOTHING));
			progress.enter("done", `published as snapshot ${snapshot}`);
			const stats = ingestion.stats ?? NOTHING;
			const { source, commit } = input;
			return { outcome: "published", ingestion: ingestion.id, source, commit, snapshot, stats, workflowId, runId };
		}
		progress.enter("done", `${isCancellation(error) ? "cancelled" : "parked"}: ${failure.code}: ${failure.message}`);
		if (isCancellation(error)) throw error;
		throw ApplicationFailure.create({
			message: failure.message,
			type: failure.code,
			nonRetryable: true,
			details: [{ next: failure.next ?? null, ingestion: begun.ingestion }],
			cause: error instanceof Error ? error : undefined,
		});
	}
}

const NOTHING: IngestionStats = {
	files: { added: 0, changed: 0, removed: 0, failed: 0 },
	entities: 0,
	chunks: 0,
	embedded: 0,
	reused: 0,
};

/** Waits until the source is free; an unfinished ingestion whose workflow is gone is discarded first. */
async function begin(input: IngestCommitInput, workflowId: string, runId: string) {
	for (let attempt = 0; ; attempt++) {
		const answer = await catalog.begin({
			source: input.source,
			commit: input.commit,
			workflowId,
			runId,
			unlessPassed: input.unlessPassed ?? false,
		});
		if (answer.outcome === "stale") {
			log.info("discarding an ingestion whose workflow no longer runs", { ingestion: answer.by });
			await discard(
				answer.seq,
				{ code: "INGESTION_FAILED", message: "its workflow ended without finishing", next: `lode retry ${answer.by}` },
				"abandoned",
			);
		} else if (answer.outcome === "busy") {
			await sleep(Math.min(500 * 2 ** attempt, 10_000));
		} else {
			return answer;
		}
	}
}

/** Names and the manifest of the whole change set. */
function linked(
	seq: number,
	plan: PlanAnswer,
	locally: boolean,
): Promise<readonly [{ entities: number }, ...unknown[]]> {
	if (plan.together) return (locally ? LOCAL_FIRST : ACTIVITIES).link(seq);
	const before = locally ? LOCAL_FIRST_BEFORE : ACTIVITIES_BEFORE;
	return before.all([() => before.linkNames(seq), () => before.stageManifest(seq)]);
}

async function ingestAll(
	seq: number,
	source: string,
	plan: PlanAnswer,
	progress: Progress,
	locally: boolean,
	again: boolean,
): Promise<BatchCounts> {
	progress.enter("files", `${plan.files.added + plan.files.changed} files in ${plan.batches} batches`);
	const { batches, fileBatches, together } = plan;
	const optional = { ...(again && { again }), ...(together && { together }) };
	const range = { seq, source, first: 0, count: batches, fileBatches, ...optional };
	if (together && locally) {
		const counts = await ingestSmall(LOCAL_FIRST, range);
		progress.add(counts);
		return counts;
	}
	if (plan.batches <= BATCHES_A_HISTORY) {
		const before = locally ? LOCAL_FIRST_BEFORE : ACTIVITIES_BEFORE;
		return ingestBatchRange(
			together ? BATCHES_AT_ONCE : before.batchesAtOnce,
			(...batch) => (together ? ingestBatch(ACTIVITIES, ...batch) : ingestBatchBefore(before, ...batch)),
			range,
			(counts) => progress.add(counts),
		);
	}
	let total = NO_COUNTS;
	for (let first = 0; first < plan.batches; first += BATCHES_A_HISTORY) {
		const count = Math.min(BATCHES_A_HISTORY, plan.batches - first);
		const counts = await executeChild(ingestBatches, {
			workflowId: `${workflowInfo().workflowId}/${seq}/${first}`,
			args: [{ ...range, first, count }],
			cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
			parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
			staticSummary: `batches ${first + 1} to ${first + count}`,
		});
		progress.add(counts);
		total = addCounts(total, counts);
	}
	return total;
}

async function discardEverywhere(seq: number): Promise<DiscardAnswer[]> {
	const discards = await Promise.allSettled([
		compensation.discardGraph(seq),
		compensation.discardVectors(seq),
		compensation.discardArtifacts(seq),
	]);
	return discards.map((result) => {
		if (result.status === "rejected") throw result.reason;
		// Null in histories of before: what JSON makes of nothing.
		return result.value ?? undefined;
	});
}

/**
 * The compensation. Every activity that writes for the seq has ended when this is called. Abort comes first, so that a
 * publish can no longer win; release last, so that the seq stays excluded until nothing of it is left. Returns false, and does nothing,
 * where publish had won already.
 */
async function discard(
	seq: number,
	failure: { code: string; message: string; next?: string },
	status: "parked" | "cancelled" | "abandoned",
): Promise<boolean> {
	return CancellationScope.nonCancellable(async () => {
		try {
			await catalog.abort(seq, failure);
		} catch (error) {
			if (failureOf(error).code === "SEQ_CLOSED") return false;
			throw error;
		}
		const answers = await discardEverywhere(seq);
		// Where an engine cannot refuse it, a write that was on its way may come behind the discard. The seq stays excluded meanwhile.
		const wait = Math.max(0, ...answers.map((answer) => answer?.repeatAfterMs ?? 0));
		if (wait > 0) {
			await sleep(wait, { summary: "until no late write can arrive any more" });
			await discardEverywhere(seq);
		}
		await catalog.release(seq, status);
		return true;
	});
}

function statsOf(plan: PlanAnswer, counts: BatchCounts, links: number): IngestionStats {
	return {
		files: { ...plan.files, failed: counts.failed },
		entities: counts.entities + links,
		chunks: counts.chunks,
		embedded: counts.embedded,
		reused: counts.reused,
	};
}

/** Stages of a small commit that its stage attribute does not tell. */
const BRIEF: ReadonlySet<Stage> = new Set(["prepare", "diff", "link", "verify", "publish"]);

/** What people see while it runs: the query, the Web UI's current details and the stage attribute. */
class Progress {
	/** These stages last milliseconds: nobody looks for ingestions that are in one, and each would be an event. */
	#brief = false;
	/** The attribute names an earlier one. */
	#untold = false;
	state: IngestState = { stage: "waiting", filesDone: 0, filesTotal: 0, chunks: 0, embedded: 0, reused: 0, detail: "" };

	constructor(private readonly input: IngestCommitInput) {}

	enter(stage: Stage, detail: string): void {
		this.state = { ...this.state, stage, detail };
		this.#untold = this.#brief && BRIEF.has(stage);
		if (!this.#untold) upsertSearchAttributes({ LodeStage: [stage] });
		this.describe();
	}

	/** What comes until the plan is there lasts milliseconds, unless somebody says otherwise. */
	briefly(): void {
		this.#brief = true;
	}

	/** The present stage lasts longer. */
	tell(): void {
		if (!this.#untold) return;
		this.#untold = false;
		upsertSearchAttributes({ LodeStage: [this.state.stage] });
	}

	fail(failure: Failure): void {
		this.state = { ...this.state, failure };
		this.enter("discard", `undoing: ${failure.message}`);
	}

	plan(plan: PlanAnswer): void {
		this.#brief = plan.small === true;
		const none = { filesDone: 0, chunks: 0, embedded: 0, reused: 0 };
		this.state = { ...this.state, ...none, filesTotal: plan.files.added + plan.files.changed };
	}

	add(counts: BatchCounts): void {
		const { state } = this;
		this.state = {
			...state,
			filesDone: state.filesDone + counts.files,
			chunks: state.chunks + counts.chunks,
			embedded: state.embedded + counts.embedded,
			reused: state.reused + counts.reused,
		};
		this.describe();
	}

	private describe(): void {
		const { state } = this;
		setCurrentDetails(
			`**${state.stage}**: ${state.detail}\n\nsource \`${this.input.source}\`, commit \`${this.input.commit}\`\n\n` +
				`files ${state.filesDone}/${state.filesTotal} · chunks ${state.chunks} · embedded ${state.embedded} · reused ${state.reused}`,
		);
	}
}
