import type { Group } from "./group.js";
import { pathGlob } from "./path-glob.js";

/** Whether a group indexes a path: included by one of its globs and excluded by none. Dot files match like others. */
export function groupSelector(group: Pick<Group, "include" | "exclude">): (path: string) => boolean {
	const included = pathGlob(group.include);
	const excluded = group.exclude.length === 0 ? () => false : pathGlob(group.exclude);
	return (path) => included(path) && !excluded(path);
}
