import picomatch from "picomatch";

/** Whether a path matches one of the globs, as picomatch reads them. Dot files match like others, and a line end is a character like any other. */
export function pathGlob(globs: string | readonly string[]): (path: string) => boolean {
	return picomatch(typeof globs === "string" ? globs : [...globs], { dot: true, flags: "s" });
}
