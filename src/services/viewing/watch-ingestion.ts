import { setTimeout as sleep } from "node:timers/promises";
import { LodeError } from "../../domain/errors.js";
import type { Ingestion } from "../../stores/catalog/catalog.port.js";
import { isEnded, type LodeCommands } from "../commands/command.js";
import type { IngestProgress } from "../reports.js";
import type { LodeViews } from "./lode-view.js";

const POLL_MS = 400;
const ENDED = new Set<Ingestion["status"]>(["published", "parked", "cancelled", "abandoned"]);

/**
 * An ingestion whenever it has come forward, the last time when it has ended. `id`: of it, or of the command that starts it.
 * @throws INGESTION_NOT_FOUND, COMMAND_NOT_FOUND, the failure of a command that started none
 */
export async function* watchIngestion(
	{ views, commands }: { readonly views: LodeViews; readonly commands: LodeCommands },
	id: string,
	signal: AbortSignal,
): AsyncGenerator<{ ingestion: Ingestion; progress: IngestProgress | undefined }, void, void> {
	let known = id.startsWith("cmd-") ? undefined : id;
	let last = "";
	for (; !signal.aborted; await sleep(POLL_MS, undefined, { signal, ref: false }).catch(() => undefined)) {
		if (known === undefined) {
			const { ingestion, failure, ...command } = await commands.status(id);
			known = ingestion ?? undefined;
			if (known === undefined && failure)
				throw new LodeError("INGESTION_FAILED", `${failure.code}: ${failure.message}`);
			if (known === undefined && isEnded(command)) return;
			if (known === undefined) continue;
		}
		const ingestion = await views.ingestion(known);
		const progress = (await views.progress(ingestion))?.progress;
		const now = JSON.stringify([ingestion.status, progress]);
		if (now !== last) yield { ingestion, progress };
		last = now;
		if (ENDED.has(ingestion.status)) return;
	}
}
