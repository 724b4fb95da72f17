import { MockActivityEnvironment } from "@temporalio/testing";
import { type Activities, createActivities } from "../../src/activities/activities.js";
import type { Ports } from "../../src/activities/ports.js";
import type { BatchRef } from "../../src/workflows/contracts/ingest-commit.js";

/** As many batches at once as the workflow has. */
const LANES = 4;

export interface DirectIngest {
	readonly seconds: number;
	readonly chunks: number;
	readonly entities: number;
	/** Milliseconds by activity: sums, although some of them ran at once. */
	readonly activities: Readonly<Record<string, number>>;
}

/**
 * A first ingestion by the worker's own activities, called in a loop in the order that the workflow has: what it costs without Temporal. For
 * the bench only: nothing of it outlives a crash.
 */
export async function directIngest(ports: Ports, source: string, commit: string): Promise<DirectIngest> {
	const activities = createActivities(ports);
	const spent: Record<string, number> = {};
	const call = async <Name extends keyof Activities>(
		name: Name,
		...args: Parameters<Activities[Name]>
	): Promise<Awaited<ReturnType<Activities[Name]>>> => {
		const started = performance.now();
		const run = activities[name] as never;
		const value = (await new MockActivityEnvironment().run(run, ...args)) as Awaited<ReturnType<Activities[Name]>>;
		spent[name] = Math.round((spent[name] ?? 0) + performance.now() - started);
		return value;
	};

	const started = performance.now();
	const begun = await call("begin", { source, commit, workflowId: "direct", runId: "direct", unlessPassed: false });
	if (begun.outcome !== "started") throw new Error(`the ingestion is ${begun.outcome}`);
	const { seq } = begun;
	await call("prepareCommit", seq);
	const plan = await call("planChanges", seq);
	let [next, chunks, entities] = [0, 0, 0];
	const batch = async (ref: BatchRef) => {
		if (ref.index < plan.fileBatches) {
			const mined = await call("mineBatch", ref);
			chunks += mined.chunks;
			if (mined.chunks > 0) await call("embedBatch", ref);
		}
		entities += (await call("stageBatches", [ref])).entities;
	};
	const lane = async () => {
		while (next < plan.batches) await batch({ seq, source, index: next++ });
	};
	await Promise.all(Array.from({ length: LANES }, lane));
	const [links] = await Promise.all([call("linkNames", seq), call("stageManifest", seq)]);
	entities += links.entities;
	await call("verifyStaged", seq);
	const files = { ...plan.files, failed: 0 };
	await call("publish", seq, { files, entities, chunks, embedded: 0, reused: 0 });
	return { seconds: (performance.now() - started) / 1_000, chunks, entities, activities: spent };
}
