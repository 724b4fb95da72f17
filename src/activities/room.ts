import type { Activities } from "./activities.js";
import type { Ports } from "./ports.js";

/** Activities that write what an ingestion brings. Those that end one are not among them: they need what is left. */
const WRITING: ReadonlySet<string> = new Set<keyof Activities>([
	"begin",
	"prepareCommit",
	"planChanges",
	"mineBatch",
	"embedBatch",
	"stageGraph",
	"stageVectors",
	"recordBatch",
	"stageBatches",
	"linkNames",
	"stageManifest",
	"linkAndList",
]);

type AnyActivity = (...args: never[]) => Promise<unknown>;

/** Asks for room before each activity that writes. */
export function withRoom<T extends object>(activities: T, ensureRoom: NonNullable<Ports["ensureRoom"]>): T {
	const wrapped: Record<string, AnyActivity> = {};
	for (const [name, activity] of Object.entries(activities) as [string, AnyActivity][]) {
		wrapped[name] = WRITING.has(name)
			? async (...args: never[]) => {
					await ensureRoom();
					return activity(...args);
				}
			: activity;
	}
	return wrapped as T;
}
