import { LodeError } from "../../domain/errors.js";
import { pathGlob } from "../../domain/path-glob.js";

/** A glob becomes a regular expression: bounded, so that a hostile one stays cheap. */
const MAX_GLOB = 512;
const MAX_STARS = 24;

/** Whether paths match a glob of a search's filter. @throws USAGE */
export function pathMatcher(glob: string): (path: string) => boolean {
	const refuse = (why: string, cause?: unknown) =>
		new LodeError("USAGE", `Cannot filter by this path glob: ${why}`, {
			next: "Use a shorter glob, e.g. src/**/*.ts.",
			cause,
		});
	if (glob.length > MAX_GLOB) throw refuse(`longer than ${MAX_GLOB} characters`);
	if ((glob.match(/\*+/g)?.length ?? 0) > MAX_STARS) throw refuse(`more than ${MAX_STARS} stars`);
	try {
		return pathGlob(glob);
	} catch (error) {
		throw refuse("it is not a glob", error);
	}
}
