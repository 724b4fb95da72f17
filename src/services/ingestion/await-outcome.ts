import { setTimeout as sleep } from "node:timers/promises";
import type { Client, WorkflowUpdateHandle } from "@temporalio/client";
import { ERROR_CODES, type ErrorCode, LodeError } from "../../domain/errors.js";
import type { Failure } from "../../stores/catalog/catalog.port.js";
import type { IngestOutcome } from "../../workflows/contracts/ingest-commit.js";
import type { IngestOptions } from "../lode.js";
import { askProgress, askUndoing } from "./ask-progress.js";
import { fromWorkflowError } from "./workflow-errors.js";

const PROGRESS_EVERY_MS = 400;
/** Where nobody is shown it, the question is only whether it is being undone: ever more seldom, for many may wait. */
const UNSEEN = { firstMs: 2_000, factor: 1.5, mostMs: 10_000 };
/** A discard takes well under a second where the stores are well. */
const UNDOING_MS = 15_000;

/** An earlier ingestion of the same commit, which has to be undone first. */
export interface Undoing {
	readonly id: string;
	readonly failure?: Failure;
	/** Asks the catalog. */
	ended(): Promise<boolean>;
	/** How long that is waited for. Default: as long as for the undoing of the ingestion itself. */
	readonly patienceMs?: number;
}

/**
 * Waits for what comes of an accepted request, reporting progress.
 * @throws CANCELLED when the signal says so (the ingestion goes on), the ingestion's own failure, SOURCE_BUSY where `undoing` takes long (the
 * request stays accepted), TEMPORAL_UNAVAILABLE
 */
export async function awaitOutcome(
	temporal: Client,
	handle: WorkflowUpdateHandle<IngestOutcome>,
	workflowId: string,
	{ signal, onProgress }: IngestOptions,
	undoing?: Undoing,
): Promise<IngestOutcome> {
	const done = handle.result();
	done.catch(() => {});
	const ended = new AbortController();
	const watched = watchProgress(temporal, workflowId, onProgress, ended.signal, undoing);
	watched.catch(() => {});
	try {
		return await Promise.race([done, watched, stoppedWaiting(signal, ended.signal)]);
	} catch (error) {
		throw fromWorkflowError(error);
	} finally {
		ended.abort();
		// A question in flight must end before the connection may close.
		await watched.catch(() => undefined);
	}
}

/** Rejects when a failed ingestion cannot be undone for a while, for then a user has to act. */
async function watchProgress(
	temporal: Client,
	workflowId: string,
	onProgress: IngestOptions["onProgress"],
	ended: AbortSignal,
	undoing: Undoing | undefined,
): Promise<never> {
	let before = undoing;
	let undoingSince: number | undefined;
	for (let pauseMs = onProgress ? PROGRESS_EVERY_MS : UNSEEN.firstMs; ; ) {
		// First a pause: a small commit is done before anybody needs to ask, and questions cost workflow tasks.
		await sleep(pauseMs, undefined, { signal: ended });
		if (!onProgress) pauseMs = Math.min(UNSEEN.mostMs, pauseMs * UNSEEN.factor);
		// No answer is no news: the workflow may wait for its turn or for a worker.
		const state = await (onProgress ? askProgress(temporal, workflowId) : askUndoing(temporal, workflowId));
		ended.throwIfAborted();
		if (state) onProgress?.(state);
		// Until it has ended, the workflow of the commit is its.
		if (await before?.ended()) before = undefined;
		else if (before) {
			undoingSince ??= performance.now();
			if (performance.now() - undoingSince <= (before.patienceMs ?? UNDOING_MS)) continue;
			throw new LodeError("SOURCE_BUSY", stillUndone(before), {
				next: `it is tried again by itself as soon as that is done; what it waits for says: lode status ${before.id}`,
			});
		}
		undoingSince = state?.failure ? (undoingSince ?? performance.now()) : undefined;
		if (state?.failure && undoingSince !== undefined && performance.now() - undoingSince > UNDOING_MS) {
			const { code, message, next } = state.failure;
			throw new LodeError(code in ERROR_CODES ? (code as ErrorCode) : "INGESTION_FAILED", message, {
				next: `${next ?? "mend what it says"}; what was staged is undone as soon as that works: lode status`,
			});
		}
	}
}

/** What is told of one that nothing can be done about yet. */
export function stillUndone({ id, failure }: Pick<Undoing, "id" | "failure">): string {
	return `ingestion ${id} is still being undone${failure ? ` (${failure.code}: ${failure.message})` : ""}`;
}

/** Rejects when the user stops waiting; stays pending otherwise. */
function stoppedWaiting(signal: AbortSignal | undefined, ended: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		if (!signal) return;
		const stop = () =>
			reject(
				new LodeError("CANCELLED", "stopped waiting; the ingestion goes on", {
					next: "lode status, or stop it with: lode cancel",
				}),
			);
		if (signal.aborted) stop();
		signal.addEventListener("abort", stop, { once: true, signal: ended });
	});
}
