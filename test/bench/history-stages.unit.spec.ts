import { expect, test } from "vitest";
import { stagesOf, type TimedEvent } from "./history-stages.js";

const events: TimedEvent[] = [
	{ id: 1, ms: 0, type: "other" },
	{ id: 2, ms: 0, type: "taskScheduled" },
	{ id: 3, ms: 5, type: "taskStarted" },
	{ id: 4, ms: 15, type: "taskEnded" },
	{ id: 5, ms: 15, type: "activityScheduled", name: "mine" },
	{ id: 6, ms: 15, type: "activityScheduled", name: "stage" },
	{ id: 7, ms: 18, type: "activityStarted", scheduled: 5 },
	{ id: 8, ms: 28, type: "activityStarted", scheduled: 6 },
	{ id: 9, ms: 38, type: "activityEnded", scheduled: 5 },
	{ id: 10, ms: 38, type: "taskScheduled" },
	{ id: 11, ms: 40, type: "taskStarted" },
	{ id: 12, ms: 42, type: "activityEnded", scheduled: 6 },
	{ id: 13, ms: 45, type: "taskEnded" },
	{ id: 14, ms: 55, type: "other" },
];

test("each moment belongs to what runs then, else to what waits, and the stages add up to the run", () => {
	const stages = stagesOf(events);
	expect(Object.fromEntries(stages)).toEqual({
		"task queue": 5,
		"workflow task": 10 + 3,
		"activity queue": 3,
		// Alone for ten milliseconds, and half of the ten that both ran.
		mine: 15,
		stage: 5 + 4,
		waiting: 10,
	});
	expect([...stages.values()].reduce((sum, ms) => sum + ms)).toBe(55);
});
