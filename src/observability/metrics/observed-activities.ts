import { Context } from "@temporalio/activity";
import { CancelledFailure } from "@temporalio/common";
import type { Activities } from "../../activities/activities.js";
import type { Metrics } from "./metrics.js";

/** Every activity, by the step of an ingestion that it is, in the words of docs/architecture.md. */
const STAGES: Readonly<Record<keyof Activities, string>> = {
	begin: "begin",
	prepareCommit: "prepare",
	planChanges: "diff",
	mineBatch: "mine",
	embedBatch: "embed",
	stageGraph: "stage",
	stageVectors: "stage",
	recordBatch: "stage",
	stageBatches: "stage",
	linkNames: "link",
	stageManifest: "link",
	linkAndList: "link",
	verifyStaged: "verify",
	publish: "publish",
	abort: "discard",
	discardGraph: "discard",
	discardVectors: "discard",
	discardArtifacts: "discard",
	release: "discard",
	pendingCommits: "follow",
	awaitIngestion: "follow",
	hintSource: "follow",
	listSources: "follow",
	planReindex: "reindex",
	warmPage: "reindex",
	readyGroups: "reindex",
	switchIndex: "reindex",
	archiveEvents: "maintain",
	collectSource: "maintain",
	collectObjects: "maintain",
	markRemoved: "maintain",
	awaitIdle: "maintain",
	dropSource: "maintain",
	verifySnapshot: "maintain",
};

type AnyActivity = (...args: never[]) => Promise<unknown>;

/** The activities of a worker, measured: how long each waited and took, and what came of ingestions. */
export function observedActivities<T extends Activities>(activities: T, metrics: Metrics): T {
	const took = metrics.observe("stageSeconds");
	const waited = metrics.observe("queueSeconds");
	const outcomes = outcomesOf(metrics);
	const observed: Record<string, AnyActivity> = {};
	for (const [activity, run] of Object.entries(activities) as [string, AnyActivity][]) {
		const stage = STAGES[activity as keyof Activities] ?? "other";
		observed[activity] = async (...args: never[]) => {
			const { isLocal, currentAttemptScheduledTimestampMs: scheduled } = Context.current().info;
			if (!isLocal) waited({ stage }, Math.max(0, Date.now() - scheduled) / 1_000);
			const started = performance.now();
			let outcome = "ok";
			try {
				const result = await run(...args);
				outcomes[activity]?.(args, result as never);
				return result;
			} catch (error) {
				outcome = error instanceof CancelledFailure ? "cancelled" : "failed";
				throw error;
			} finally {
				took({ stage, activity, outcome }, (performance.now() - started) / 1_000);
			}
		};
	}
	return observed as unknown as T;
}

type Outcomes = Readonly<Record<string, ((args: readonly unknown[], result: never) => void) | undefined>>;

function outcomesOf(metrics: Metrics): Outcomes {
	const ended = metrics.count("ingestions");
	const took = metrics.observe("ingestionSeconds");
	const files = metrics.count("ingestedFiles");
	const chunks = metrics.count("ingestedChunks");
	return {
		begin(_, { outcome }: Awaited<ReturnType<Activities["begin"]>>) {
			if (outcome === "unchanged" || outcome === "superseded") ended({ outcome });
		},
		publish(_, { ingestion }: Awaited<ReturnType<Activities["publish"]>>) {
			const { startedAt, endedAt, stats } = ingestion;
			ended({ outcome: "published" });
			if (endedAt !== undefined) took({}, Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) / 1_000);
			if (stats === undefined) return;
			for (const [change, count] of Object.entries(stats.files)) files({ change }, count);
			chunks({ embedding: "made" }, stats.embedded);
			chunks({ embedding: "reused" }, stats.reused);
		},
		release([, status]) {
			ended({ outcome: String(status) });
		},
	};
}
