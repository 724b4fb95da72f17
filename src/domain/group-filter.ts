import type { Group } from "./group.js";
import { pathGlob } from "./path-glob.js";

/**
 * Whether a group indexes a path: it lies in the group's folder, and what follows of it is included by one of the globs and excluded by none.
 * Dot files match like others.
 */
export function groupSelector({
	path: folder,
	include,
	exclude,
}: Pick<Group, "path" | "include" | "exclude">): (path: string) => boolean {
	const included = pathGlob(include);
	const excluded = exclude.length === 0 ? () => false : pathGlob(exclude);
	const selects = (path: string) => included(path) && !excluded(path);
	if (folder === "") return selects;
	const prefix = `${folder}/`;
	return (path) => path.startsWith(prefix) && selects(path.slice(prefix.length));
}
