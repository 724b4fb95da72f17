import type { IngestProgress } from "../../../services/reports.js";
import type { IngestionStatus } from "../../../services/viewing/lode-view.js";

const STAGES = ["begin", "prepare", "diff", "files", "link", "verify", "publish"] as const;

export interface StageState {
	readonly name: string;
	readonly state: "done" | "running" | "pending" | "failed";
}

/** How far each stage is. Empty where nobody knows: an ingestion that failed tells its failure, not its stages. */
export function stagesOf(status: IngestionStatus, progress: IngestProgress | undefined): StageState[] {
	if (status === "published") return STAGES.map((name) => ({ name, state: "done" }));
	if (progress === undefined) return [];
	const now = STAGES.indexOf(progress.stage as (typeof STAGES)[number]);
	const ended = progress.stage === "discard" || progress.stage === "done";
	if (ended) return STAGES.map((name) => ({ name, state: progress.stage === "done" ? "done" : "failed" }));
	return STAGES.map((name, at) => ({ name, state: at < now ? "done" : at === now ? "running" : "pending" }));
}
