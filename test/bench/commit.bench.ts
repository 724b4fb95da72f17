import type { Client } from "@temporalio/client";
import type { Bench, Figure } from "./bench.js";
import { type GeneratedRepository, generateRepository } from "./generated-repository.js";
import { stagesOf, type TimedEvent } from "./history-stages.js";
import { measureLimits } from "./machine.js";
import { figure, percentiles, quantile, rounded, timed } from "./measuring.js";
import { type RunningLode, withRunningLode } from "./running-lode.js";

const COMMITS = 20;
/** Not measured: code is compiled and caches are filled. */
const WARM_UP = 3;

/** A commit that changes one file: from asking for it until a search returns the new text; and where the workflow's time went. */
export const commit: Bench = {
	summary: "one-file commit to searchable, `lode dev` running, by repository size; the time by stage of the workflow",
	async run({ full, note }) {
		const fsyncMs = 1_000 / measureLimits().fsyncAppendsPerSecond;
		const figures: Figure[] = [];
		const details: Record<string, unknown> = {};
		let smallest: number | undefined;
		for (const files of full ? [100, 3_000, 20_000, 100_000] : [100, 3_000]) {
			const generated = await generateRepository(files);
			try {
				const { value } = await withRunningLode((lode) => measure(lode, generated));
				const name = `one-file commit to searchable, ${files} files`;
				figures.push(...percentiles(name, value.searchable, { name: "one fsync'd append, ms", value: fsyncMs }));
				for (const [stage, ms] of value.stages) figures.push(figure(`${name}: ${stage}, mean`, ms, "ms"));
				const median = quantile(value.searchable, 0.5);
				smallest ??= median;
				figures.push(
					figure(`${name}, p50 beside the smallest`, median, "ms", { name: "100 files, ms", value: smallest }),
				);
				details[files] = { ...value, stages: Object.fromEntries(value.stages) };
				note(`${name}: p50 ${Math.round(quantile(value.searchable, 0.5))} ms`);
				for (const [stage, ms] of value.stages) note(`  ${String(rounded(ms)).padStart(7)} ms  ${stage}`);
			} finally {
				await generated.repository.remove();
			}
		}
		return { figures, details };
	},
};

async function measure({ commander, reader, temporal }: RunningLode, generated: GeneratedRepository) {
	await commander.ingest(generated.path, {});
	const ingested: number[] = [];
	const searchable: number[] = [];
	const stages = new Map<string, number>();
	for (let at = 0; at < WARM_UP + COMMITS; at += 1) {
		const word = `quokka${String.fromCharCode(97 + at)}`;
		await generated.edit(at, word);
		const started = performance.now();
		const { ms, value: report } = await timed(() => commander.ingest(generated.path, {}));
		while (!(await reader.search({ text: word, limit: 10 })).hits.some(({ text }) => text.includes(word))) {
			if (performance.now() - started > 60_000) throw new Error(`${word} does not become searchable`);
		}
		if (at < WARM_UP) continue;
		searchable.push(rounded(performance.now() - started));
		ingested.push(rounded(ms));
		const events = await historyOf(temporal, report.workflowId ?? "", report.runId ?? "");
		const own = stagesOf(events);
		const inside = [...own.values()].reduce((sum, each) => sum + each, 0);
		const parts = new Map([...own, ["outside the workflow: source's queue, client", ms - inside] as const]);
		for (const [stage, each] of parts) stages.set(stage, (stages.get(stage) ?? 0) + each / COMMITS);
	}
	return { searchable, ingested, stages: new Map([...stages].sort((a, b) => b[1] - a[1])) };
}

/** Events in the order of their times: the server writes an activity's start only when it ends. */
async function historyOf(temporal: Client, workflowId: string, runId: string): Promise<TimedEvent[]> {
	const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
	const timedEvents = (events ?? []).map((event): TimedEvent => {
		const ms = Number(event.eventTime?.seconds ?? 0) * 1_000 + (event.eventTime?.nanos ?? 0) / 1e6;
		const id = Number(event.eventId);
		const ended =
			event.activityTaskCompletedEventAttributes ??
			event.activityTaskFailedEventAttributes ??
			event.activityTaskTimedOutEventAttributes;
		if (event.activityTaskScheduledEventAttributes) {
			const name = event.activityTaskScheduledEventAttributes.activityType?.name ?? undefined;
			return { id, ms, type: "activityScheduled", name };
		}
		if (event.activityTaskStartedEventAttributes) {
			return {
				id,
				ms,
				type: "activityStarted",
				scheduled: Number(event.activityTaskStartedEventAttributes.scheduledEventId),
			};
		}
		if (ended) return { id, ms, type: "activityEnded", scheduled: Number(ended.scheduledEventId) };
		if (event.workflowTaskScheduledEventAttributes) return { id, ms, type: "taskScheduled" };
		if (event.workflowTaskStartedEventAttributes) return { id, ms, type: "taskStarted" };
		if (event.workflowTaskCompletedEventAttributes) return { id, ms, type: "taskEnded" };
		return { id, ms, type: "other" };
	});
	return timedEvents.sort((a, b) => a.ms - b.ms || a.id - b.id);
}
