import type { Client } from "@temporalio/client";
import type { Bench, Figure } from "./bench.js";
import { stagesOf, type TimedEvent } from "./history-stages.js";
import { measureLimits } from "./machine.js";
import { figure, percentiles, quantile, rounded, timed } from "./measuring.js";
import { processorSeconds } from "./processor-time.js";
import { RepositoryInProcess } from "./repository-in-process.js";
import { type RunningLode, withRunningLode } from "./running-lode.js";

const COMMITS = 20;
/** Not measured: code is compiled and caches are filled. */
const WARM_UP = 3;

/**
 * A commit that changes one file: from asking for it until a search returns the new text; and where the workflow's time went. The sizes take turns, each
 * with a `lode dev` of its own that took its repository in just before, so that what else the machine does falls on all of them.
 */
export const commit: Bench = {
	summary: "one-file commit to searchable, `lode dev` running, by repository size; the time by stage of the workflow",
	async run({ full, note }) {
		const fsyncMs = 1_000 / measureLimits().fsyncAppendsPerSecond;
		const chosen = process.env.LODE_BENCH_SIZES?.split(",").map(Number);
		const sizes = chosen ?? (full ? [100, 3_000, 20_000, 100_000] : [100, 3_000]);
		const runs = await measureInTurns(sizes, note);
		const figures: Figure[] = [];
		const smallest = quantile(runs[0]?.searchable ?? [], 0.5);
		for (const { files, searchable, ingested, stages, processor } of runs) {
			const name = `one-file commit to searchable, ${files} files`;
			figures.push(...percentiles(name, searchable, { name: "one fsync'd append, ms", value: fsyncMs }));
			for (const [stage, ms] of stages) figures.push(figure(`${name}: ${stage}, mean`, ms, "ms"));
			for (const [whose, ms] of processor) figures.push(figure(`${name}: processor time of ${whose}, mean`, ms, "ms"));
			// The answer of `ingest` comes once it is visible; the search that then shows it goes by the number of chunks.
			figures.push(figure(`one-file commit published, ${files} files, p50`, quantile(ingested, 0.5), "ms"));
			const searches = searchable.map((ms, at) => ms - (ingested[at] ?? 0));
			figures.push(figure(`the search that shows it, ${files} files, p50`, rounded(quantile(searches, 0.5)), "ms"));
			const median = quantile(searchable, 0.5);
			const beside = { name: `${sizes[0]} files, ms`, value: smallest };
			figures.push(figure(`${name}, p50 beside the smallest`, median, "ms", beside));
			note(`${name}: p50 ${Math.round(median)} ms`);
			for (const [stage, ms] of stages) note(`  ${String(rounded(ms)).padStart(7)} ms  ${stage}`);
			for (const [whose, ms] of processor) note(`  ${String(rounded(ms)).padStart(7)} ms  of processor: ${whose}`);
		}
		const details = runs.map(({ stages, processor, ...run }) => ({
			...run,
			stages: Object.fromEntries(stages),
			processor: Object.fromEntries(processor),
		}));
		return { figures, details: { runs: details } };
	},
};

interface Run {
	readonly files: number;
	readonly generated: RepositoryInProcess;
	readonly lode: RunningLode;
	readonly ingested: number[];
	readonly searchable: number[];
	readonly stages: Map<string, number>;
	readonly processor: Map<string, number>;
}

/** Takes all repositories in, then measures; what was started ends with it. */
async function measureInTurns(
	sizes: readonly number[],
	note: (line: string) => void,
	runs: readonly Run[] = [],
): Promise<Omit<Run, "generated" | "lode">[]> {
	const files = sizes[runs.length];
	if (files === undefined) {
		for (let at = 0; at < WARM_UP + COMMITS; at += 1) {
			// Whoever comes first differs from turn to turn.
			for (let turn = 0; turn < runs.length; turn += 1) await one(runs[(at + turn) % runs.length] as Run, at);
		}
		return runs.map(({ generated: _, lode: __, ...run }) => ({ ...run, stages: byTime(run.stages) }));
	}
	const generated = await RepositoryInProcess.generate(files);
	try {
		const { value } = await withRunningLode(async (lode) => {
			const { ms } = await timed(() => lode.commander.ingest(generated.path, {}));
			note(`${files} files taken in within ${rounded(ms / 1_000)} s`);
			const series = { ingested: [], searchable: [], stages: new Map(), processor: new Map() };
			return measureInTurns(sizes, note, [...runs, { files, generated, lode, ...series }]);
		});
		return value;
	} finally {
		await generated.remove();
	}
}

const byTime = (times: ReadonlyMap<string, number>) => new Map([...times].sort((a, b) => b[1] - a[1]));

async function one({ generated, lode, ingested, searchable, stages, processor }: Run, at: number): Promise<void> {
	const { commander, reader, temporal } = lode;
	const word = `quokka${String.fromCharCode(97 + at)}`;
	await generated.edit(at, word);
	const before = await processorMs(lode);
	const started = performance.now();
	const { ms, value: report } = await timed(() => commander.ingest(generated.path, {}));
	while (!(await reader.search({ text: word, limit: 10 })).hits.some(({ text }) => text.includes(word))) {
		if (performance.now() - started > 60_000) throw new Error(`${word} does not become searchable`);
	}
	if (at < WARM_UP) return;
	searchable.push(rounded(performance.now() - started));
	ingested.push(rounded(ms));
	const add = (times: Map<string, number>, name: string, each: number) =>
		times.set(name, (times.get(name) ?? 0) + each / COMMITS);
	for (const [whose, each] of await processorMs(lode)) add(processor, whose, each - (before.get(whose) ?? 0));
	const events = await historyOf(temporal, report.workflowId ?? "", report.runId ?? "");
	const own = stagesOf(events);
	for (const [stage, each] of own) add(stages, stage, each);
	const inside = [...own.values()].reduce((sum, each) => sum + each, 0);
	add(stages, "outside the workflow: source's queue, client", ms - inside);
}

/** What was used so far, without processes that they started. Empty where the system does not say. */
async function processorMs({ pids }: RunningLode): Promise<Map<string, number>> {
	const { worker, temporal } = await pids();
	const known = new Map<string, number>();
	for (const [whose, pid] of [["the worker", worker] as const, ["Temporal", temporal] as const]) {
		const seconds = await processorSeconds(pid, { children: false });
		if (seconds !== undefined) known.set(whose, seconds * 1_000);
	}
	return known;
}

/** How the SDK names the marker of a local activity. */
const LOCAL_ACTIVITY = "core_local_activity";

interface Timestamp {
	readonly seconds: number;
	readonly nanos: number;
}

const millis = ({ seconds, nanos }: Timestamp): number => Number(seconds) * 1_000 + Number(nanos) / 1e6;

/** When a local activity began and which it was, as its marker says. What the marker says of its end is no time of a clock. */
function localActivity(data: Uint8Array | null | undefined): { name: string; began: number } | undefined {
	if (!data) return undefined;
	const said = JSON.parse(Buffer.from(data).toString()) as {
		activity_type: string;
		original_schedule_time: Timestamp;
	};
	return { name: said.activity_type, began: millis(said.original_schedule_time) };
}

/** Local activities of one task as if they were events: each until the next ones began, or the task ended. */
function ranWithin(task: readonly { id: number; name: string; began: number }[], ended: number): TimedEvent[] {
	return task.flatMap(({ id, name, began }): TimedEvent[] => [
		{ id, ms: began, type: "activityScheduled", name },
		{ id, ms: began, type: "activityStarted", scheduled: id },
		{
			id,
			ms: Math.min(ended, ...task.map((other) => other.began).filter((other) => other > began)),
			type: "activityEnded",
			scheduled: id,
		},
	]);
}

/** Events in the order of their times: the server writes an activity's start only when it ends. */
async function historyOf(temporal: Client, workflowId: string, runId: string): Promise<TimedEvent[]> {
	const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
	/** Markers come behind the end of the task that they belong to. */
	let ran: { id: number; name: string; began: number }[] = [];
	let taskEnded = 0;
	const local: TimedEvent[] = [];
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
		if (event.workflowTaskCompletedEventAttributes) {
			local.push(...ranWithin(ran, taskEnded));
			[ran, taskEnded] = [[], ms];
			return { id, ms, type: "taskEnded" };
		}
		if (event.markerRecordedEventAttributes?.markerName === LOCAL_ACTIVITY) {
			const local = localActivity(event.markerRecordedEventAttributes.details?.data?.payloads?.[0]?.data);
			if (local) ran.push({ id, ...local });
		}
		return { id, ms, type: "other" };
	});
	local.push(...ranWithin(ran, taskEnded));
	return [...timedEvents, ...local].sort((a, b) => a.ms - b.ms || a.id - b.id);
}
