import picomatch from "picomatch";
import type { Group } from "./group.js";

/** Whether a group indexes a path: included by one of its globs and excluded by none. Dot files match like others. */
export function groupSelector(group: Pick<Group, "include" | "exclude">): (path: string) => boolean {
	const options = { dot: true };
	const included = picomatch([...group.include], options);
	const excluded = group.exclude.length === 0 ? () => false : picomatch([...group.exclude], options);
	return (path) => included(path) && !excluded(path);
}
