import { posix } from "node:path";
import { LodeError } from "../../domain/errors.js";
import { costlyGlob, pathGlob } from "../../domain/path-glob.js";

/** How hits are put together: by file, by folder, or by rules of which the first whose glob matches the path names the group. */
export type HitGrouping =
	| { readonly by: "file" | "folder" }
	| { readonly by: "custom"; readonly rules: readonly { readonly name: string; readonly glob: string }[] };

/** What two options say together. @throws USAGE */
export function groupingOf(
	by: "file" | "folder" | "custom" | undefined,
	rules: readonly (readonly [name: string, glob: string])[] | undefined,
): HitGrouping | undefined {
	if (rules !== undefined && by !== "custom") {
		throw new LodeError("USAGE", "rules are for grouping by custom rules", { next: "add --group-by custom" });
	}
	if (by !== "custom") return by && { by };
	return { by, rules: (rules ?? []).map(([name, glob]) => ({ name, glob })) };
}

export interface HitGroup {
	/** The path of the file or folder ("" is the root), or the name of the rule; hits that no rule takes are in `other`. */
	readonly key: string;
	/** Null where hits of several sources may be in it: rules. */
	readonly source: string | null;
	/** Of its best hit. */
	readonly score: number;
	/** Places in the answer's `hits`, best first. */
	readonly hits: readonly number[];
}

interface Hit {
	readonly source: string;
	readonly path: string;
	readonly score: number;
}

const OTHER = "other";
const MAX_RULES = 100;

/** Groups in order of their best hits. @throws USAGE */
export function groupHits(hits: readonly Hit[], grouping: HitGrouping): HitGroup[] {
	const keyOf = grouping.by === "custom" ? byRules(grouping.rules) : byPlace(grouping.by);
	const groups = new Map<string, { key: string; source: string | null; score: number; hits: number[] }>();
	for (const [index, hit] of hits.entries()) {
		const { key, source } = keyOf(hit);
		const id = `${source ?? ""}\0${key}`;
		const known = groups.get(id);
		if (known) known.hits.push(index);
		else groups.set(id, { key, source, score: hit.score, hits: [index] });
	}
	return [...groups.values()];
}

type KeyOf = (hit: Hit) => { key: string; source: string | null };

function byPlace(by: "file" | "folder"): KeyOf {
	return ({ source, path }) => {
		const folder = posix.dirname(path);
		return { source, key: by === "file" ? path : folder === "." ? "" : folder };
	};
}

function byRules(rules: readonly { name: string; glob: string }[]): KeyOf {
	const refuse = (why: string, cause?: unknown) =>
		new LodeError("USAGE", `Cannot group by these rules: ${why}`, { next: "Give e.g. --rule 'tests=test/**'.", cause });
	if (rules.length === 0) throw refuse("there is none");
	if (rules.length > MAX_RULES) throw refuse(`more than ${MAX_RULES}`);
	const matchers = rules.map(({ name, glob }) => {
		if (name === "" || glob === "") throw refuse("one has no name or no glob");
		const why = costlyGlob(glob);
		if (why !== undefined) throw refuse(`a glob is too long or too wide: ${why}`);
		try {
			return { name, matches: pathGlob(glob) };
		} catch (error) {
			throw refuse("one is not a glob", error);
		}
	});
	return ({ path }) => ({ source: null, key: matchers.find(({ matches }) => matches(path))?.name ?? OTHER });
}
