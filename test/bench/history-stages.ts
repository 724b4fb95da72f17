/** The part of a history event that stages are read from, with its time in milliseconds. */
export interface TimedEvent {
	readonly id: number;
	readonly ms: number;
	readonly type:
		| "taskScheduled"
		| "taskStarted"
		| "taskEnded"
		| "activityScheduled"
		| "activityStarted"
		| "activityEnded"
		| "other";
	/** Of an activity's or a task's later events: the event that scheduled it. */
	readonly scheduled?: number;
	/** The activity's type. */
	readonly name?: string;
}

/**
 * Where the time of one workflow run goes: every moment between its first and last event is counted once, so the stages add up to the run. A
 * moment belongs to the activities that run then, in equal parts; else to a workflow task that runs (`workflow task`),
 * else to one that waits for a worker (`task queue`), else to an activity that waits (`activity queue`), else to nothing that this
 * history shows (`waiting`: a child, a timer, a signal). Milliseconds.
 */
export function stagesOf(events: readonly TimedEvent[]): Map<string, number> {
	const stages = new Map<string, number>();
	const running = new Map<number, string>();
	const waiting = new Set<number>();
	const names = new Map<number, string>();
	let task: "none" | "scheduled" | "started" = "none";
	let before = events[0]?.ms ?? 0;
	const current = (): string[] => {
		if (running.size > 0) return [...running.values()];
		if (task === "started") return ["workflow task"];
		if (task === "scheduled") return ["task queue"];
		return [waiting.size > 0 ? "activity queue" : "waiting"];
	};
	for (const event of events) {
		const now = current();
		for (const stage of now) {
			stages.set(stage, (stages.get(stage) ?? 0) + Math.max(0, event.ms - before) / now.length);
		}
		before = Math.max(before, event.ms);
		switch (event.type) {
			case "taskScheduled":
				task = "scheduled";
				break;
			case "taskStarted":
				task = "started";
				break;
			case "taskEnded":
				task = "none";
				break;
			case "activityScheduled":
				names.set(event.id, event.name ?? "activity");
				waiting.add(event.id);
				break;
			case "activityStarted":
				waiting.delete(event.scheduled ?? -1);
				running.set(event.scheduled ?? -1, names.get(event.scheduled ?? -1) ?? "activity");
				break;
			case "activityEnded":
				waiting.delete(event.scheduled ?? -1);
				running.delete(event.scheduled ?? -1);
				break;
			case "other":
				break;
		}
	}
	return new Map([...stages].filter(([, ms]) => ms > 0));
}
