import type { Activities } from "../../src/activities/activities.js";
import { linkedTogether, stagedTogether } from "../../src/activities/staging/staged-together.js";
import type { Ingestion } from "../../src/stores/catalog/catalog.port.js";

const ingestion: Ingestion = {
	id: "ing-1",
	seq: 1,
	source: "s-1",
	commit: "c".repeat(40),
	recipe: "r",
	status: "published",
	workflowId: "w",
	runId: "r",
	startedAt: "2026-01-01T00:00:00.000Z",
	snapshot: 7,
};

/**
 * Activities that only write down their calls, in order. `overrides` replace single ones. Those that do several steps side by side are the real ones, of
 * faked steps. `before`: as a Lode that had an activity for each store planned.
 */
export function fakedActivities(
	overrides: Partial<Activities> = {},
	before = false,
): { calls: string[]; activities: Activities } {
	const calls: string[] = [];
	const defaults: Omit<Activities, "stageBatches" | "linkAndList"> = {
		begin: async () => ({ outcome: "started", seq: 1, ingestion: "ing-1" }),
		publish: async () => ({ ingestion, snapshot: 7 }),
		abort: async () => {},
		release: async () => {},
		pendingCommits: async () => [],
		awaitIngestion: async () => {},
		prepareCommit: async () => {},
		planChanges: async () => ({ batches: 3, fileBatches: 2, files: { added: 2, changed: 1, removed: 0 } }),
		mineBatch: async () => ({ files: 1, failed: 0, chunks: 4 }),
		embedBatch: async () => ({ embedded: 3, reused: 1 }),
		stageGraph: async () => ({ entities: 5 }),
		stageVectors: async () => {},
		recordBatch: async () => {},
		linkNames: async () => ({ entities: 2 }),
		stageManifest: async () => {},
		verifyStaged: async () => {},
		discardGraph: async () => undefined,
		discardVectors: async () => undefined,
		discardArtifacts: async () => undefined,
		planReindex: async () => ({ pending: false, recipe: "r", head: 7, since: [], files: 3 }),
		warmPage: async () => ({ after: null, files: 3, embedded: 2, reused: 1 }),
		readyGroups: async () => true,
		switchIndex: async () => ({ ingestion: "ing-1", snapshot: 7 }),
		listSources: async () => ["s-1", "s-2"],
		archiveEvents: async () => ({ events: 2, through: 9 }),
		hintSource: async () => {},
		collectSource: async () => ({ horizon: 3, records: { graph: 2 } }),
		collectObjects: async () => ({ objects: 1, bytes: 10 }),
		markRemoved: async () => {},
		awaitIdle: async () => {},
		dropSource: async () => {},
		verifySnapshot: async () => ({ ok: true, snapshot: 7, problems: 0 }),
	};
	const planned = overrides.planChanges ?? defaults.planChanges;
	const planChanges: Activities["planChanges"] = async (seq) => ({
		...(await planned(seq)),
		...(!before && { together: true }),
	});
	const activities = { ...defaults, ...overrides, planChanges } as Record<
		string,
		(...args: unknown[]) => Promise<unknown>
	>;
	const steps = Object.fromEntries(
		Object.entries(activities).map(([name, activity]) => [
			name,
			async (...args: unknown[]) => {
				calls.push(name);
				return activity(...args);
			},
		]),
	);
	const recorded = steps as unknown as Omit<Activities, "stageBatches" | "linkAndList">;
	return { calls, activities: { ...recorded, ...stagedTogether(recorded), ...linkedTogether(recorded) } };
}
