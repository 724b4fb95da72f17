import picomatch from "picomatch";

/** Whether a path matches one of the globs, as picomatch reads them. Dot files match like others, and a line end is a character like any other. */
export function pathGlob(globs: string | readonly string[]): (path: string) => boolean {
	return picomatch(typeof globs === "string" ? globs : [...globs], { dot: true, flags: "s" });
}

const MAX_GLOB = 512;
const MAX_STARS = 24;
/** Each further one multiplies the work by the length of the path: six in a name of a hundred letters took half a minute. */
const MAX_IN_NAME = 3;
const MAX_FOLDERS = 3;

/**
 * Why a glob that anybody may send is not matched: it becomes a regular expression that tries every way to share a path out among its stars.
 * Undefined where it is cheap.
 */
export function costlyGlob(glob: string): string | undefined {
	if (glob.length > MAX_GLOB) return `longer than ${MAX_GLOB} characters`;
	if ((glob.match(/\*+/g)?.length ?? 0) > MAX_STARS) return `more than ${MAX_STARS} stars`;
	if ((glob.match(/\*\*/g)?.length ?? 0) > MAX_FOLDERS) return `** more than ${MAX_FOLDERS} times`;
	const names = glob.split("/").map((name) => name.match(/\*+|[+@!?]\(/g)?.length ?? 0);
	return names.some((count) => count > MAX_IN_NAME) ? `more than ${MAX_IN_NAME} stars between two slashes` : undefined;
}
