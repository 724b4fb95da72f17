import type { Group } from "./group.js";
import { groupSelector } from "./group-filter.js";
import type { ChunkSettings } from "./mined-file.js";

/** A group with its filter, made once. */
export interface SelectingGroup {
	readonly group: Group;
	readonly selects: (path: string) => boolean;
}

/** Groups whose chunks are cut alike: a file is mined once for all of them. */
export interface ChunkPlan {
	readonly settings: ChunkSettings;
	readonly groups: readonly SelectingGroup[];
	/** Whether a file has to be mined by these settings. */
	readonly wants: (path: string) => boolean;
}

/**
 * Every way in which the files of a source are mined. The first is that of the group `default`, and takes in every file: the graph is
 * made from it, whatever other groups there are.
 */
export function chunkPlans(groups: readonly Group[]): ChunkPlan[] {
	const plans = new Map<string, { settings: ChunkSettings; groups: SelectingGroup[] }>();
	for (const group of groups) {
		const { chunkSize, overlap } = group.indexing;
		const key = `${chunkSize}/${overlap}`;
		const plan = plans.get(key) ?? { settings: { chunkSize, overlap }, groups: [] };
		plans.set(key, plan);
		plan.groups.push({ group, selects: groupSelector(group) });
	}
	return [...plans.values()].map((plan, at) => ({
		...plan,
		wants: at === 0 ? () => true : (path) => plan.groups.some(({ selects }) => selects(path)),
	}));
}
