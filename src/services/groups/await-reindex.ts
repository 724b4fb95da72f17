import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { LodeError } from "../../domain/errors.js";
import { type ReindexOutcome, reindexStateQuery } from "../../workflows/contracts/reindex-source.js";
import type { reindexSource } from "../../workflows/reindex-source.js";
import type { GroupOptions } from "./change-groups.js";

const PROGRESS_EVERY_MS = 400;
const DEADLINE_MS = 2_000;

/** Waits for the re-index that runs. @throws CANCELLED when the signal says so (it goes on), why it failed */
export async function awaitReindex(
	temporal: Client,
	workflowId: string,
	{ onProgress, signal }: GroupOptions,
): Promise<ReindexOutcome> {
	const handle = temporal.workflow.getHandle<typeof reindexSource>(workflowId);
	const done = handle.result();
	done.catch(() => undefined);
	const ended = new AbortController();
	const stopped = new Promise<never>((_, reject) => {
		const stop = () =>
			reject(
				new LodeError("CANCELLED", "stopped waiting; the re-index goes on, and readers see the old index until then", {
					next: "lode group list",
				}),
			);
		if (signal?.aborted) stop();
		signal?.addEventListener("abort", stop, { once: true, signal: ended.signal });
	});
	stopped.catch(() => undefined);
	const watched = watch();
	try {
		return await Promise.race([done, stopped]);
	} finally {
		ended.abort();
		// A question in flight must end before the connection may close.
		await watched;
	}

	async function watch(): Promise<void> {
		while (!ended.signal.aborted) {
			await sleep(PROGRESS_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
			if (ended.signal.aborted) return;
			// No answer is no news.
			const state = await temporal
				.withDeadline(Date.now() + DEADLINE_MS, () => handle.query(reindexStateQuery))
				.catch(() => undefined);
			if (state && !ended.signal.aborted) onProgress?.(state);
		}
	}
}
