import { LodeError } from "../../domain/errors.js";
import { costlyGlob, pathGlob } from "../../domain/path-glob.js";

/** Whether paths match a glob of a search's filter. @throws USAGE */
export function pathMatcher(glob: string): (path: string) => boolean {
	const refuse = (why: string, cause?: unknown) =>
		new LodeError("USAGE", `Cannot filter by this path glob: ${why}`, {
			next: "Use a shorter glob, e.g. src/**/*.ts.",
			cause,
		});
	const why = costlyGlob(glob);
	if (why !== undefined) throw refuse(why);
	try {
		return pathGlob(glob);
	} catch (error) {
		throw refuse("it is not a glob", error);
	}
}
