import { z } from "zod";
import { GROUPINGS } from "./group.js";
import { costlyGlob } from "./path-glob.js";

/** What users say of a group. What is left out stays as it is, or gets its default; a retention that is null is none. */
export interface GroupFields {
	readonly path?: string;
	readonly include?: readonly string[];
	readonly exclude?: readonly string[];
	readonly grouping?: (typeof GROUPINGS)[number];
	readonly rules?: readonly { readonly name: string; readonly globs: readonly string[] }[];
	readonly indexing?: {
		/** A model's id, or `configured`: the one that the configuration names now. */
		readonly model?: string;
		readonly chunkSize?: number;
		readonly overlap?: number;
	};
	readonly retention?: { readonly maxVersions?: number | null; readonly ttl?: number | null };
}

/** A message for each field that is wrong, by its dotted name, e.g. `indexing.chunkSize`. */
export type FieldProblems = Readonly<Record<string, string>>;

const MAX_GLOBS = 100;
const MAX_RULES = 50;
/** So many fields that are wrong are told. */
const MAX_PROBLEMS = 100;
const MAX_TEXT = 500;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NAME_PROBLEM = "must be 1 to 63 lower-case letters, digits and dashes, and not begin with a dash";
const OUTSIDE = "must stay inside the source: no absolute path, and no ..";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;
const isAbsolute = (text: string): boolean => /^([/\\~]|[a-zA-Z]:)/.test(text);

/** Why a folder of a source cannot be named so. */
function pathProblem(path: string): string | undefined {
	if (path === "") return undefined;
	if (path.length > 1_000) return "must have 1000 characters at most";
	if (CONTROL.test(path)) return "must not have control characters";
	if (isAbsolute(path) || path.split(/[/\\]/).includes("..")) return OUTSIDE;
	if (path.includes("\\")) return "must have / between its folders";
	if (path.split("/").some((part) => part === "" || part === "."))
		return "must be written as docs/api: no . and no empty part";
	return undefined;
}

/** Why a glob is refused. What takes a matcher too long to try is, too: globs come from anybody. */
function globProblem(glob: string): string | undefined {
	if (glob === "") return "must not be empty";
	if (glob.length > MAX_TEXT) return `must have ${MAX_TEXT} characters at most`;
	if (CONTROL.test(glob)) return "must not have control characters";
	if (isAbsolute(glob) || glob.split(/[/\\{},()|]/).includes("..")) return OUTSIDE;
	if (glob.startsWith("!")) return "must not begin with !: what is left out goes into exclude";
	if (/[@?!+*]\(/.test(glob)) return "must not have ?( +( *( @( or !(";
	if ((glob.match(/[{[(]/g)?.length ?? 0) > 10) return "must have 10 brackets at most";
	const costly = costlyGlob(glob);
	return costly && `must not have ${costly}`;
}

const checked = (problem: (text: string) => string | undefined) =>
	z.string("must be a text").superRefine((text, context) => {
		const message = problem(text);
		if (message !== undefined) context.addIssue({ code: "custom", message });
	});

/** A list that is too long is told as that: its parts are not looked at. */
const list = <T extends z.ZodType>(part: T, most: number, least = 0) =>
	z
		.array(z.unknown(), "must be a list")
		.min(least, "must name one glob at least")
		.max(most, `must be ${most} at most`)
		.pipe(z.array(part));
const globs = (least: number) => list(checked(globProblem), MAX_GLOBS, least);
const whole = (min: number, max: number) =>
	z
		.int(`must be a whole number from ${min} to ${max}`)
		.min(min, `must be a whole number from ${min} to ${max}`)
		.max(max, `must be a whole number from ${min} to ${max}`);
const title = z
	.string("must be a text")
	.min(1, "must not be empty")
	.max(100, "must have 100 characters at most")
	.refine((text) => !CONTROL.test(text), "must not have control characters");

/** A group whole, as it is going to be stored. */
const wholeGroup = z
	.strictObject({
		name: z.string("must be a text").regex(NAME, NAME_PROBLEM),
		path: checked(pathProblem),
		include: globs(1),
		exclude: globs(0),
		grouping: z.enum(GROUPINGS, `must be one of ${GROUPINGS.join(", ")}`),
		rules: list(z.strictObject({ name: title, globs: globs(1) }, "must be {name, globs}"), MAX_RULES),
		indexing: z.strictObject(
			{
				model: z.string("must be a text").regex(/^[a-z0-9/._-]{1,200}$/, "must be the id of an embedding model"),
				chunkSize: whole(200, 20_000),
				overlap: whole(0, 2_000),
			},
			"must be {model, chunkSize, overlap}",
		),
		retention: z.strictObject(
			{ maxVersions: whole(1, 1_000_000_000).optional(), ttl: whole(0, 10_000_000_000).optional() },
			"must be {maxVersions, ttl}",
		),
	})
	.superRefine(({ grouping, rules, indexing }, context) => {
		const say = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
		if (grouping === "custom" && rules.length === 0)
			say(["rules"], "must have one rule at least where grouping is custom");
		if (grouping !== "custom" && rules.length > 0) say(["rules"], "must be empty unless grouping is custom");
		if (rules.flatMap(({ globs }) => globs).length > MAX_GLOBS)
			say(["rules"], `must have ${MAX_GLOBS} globs at most in all`);
		const names = rules.map(({ name }) => name);
		if (new Set(names).size < names.length) say(["rules"], "must not have two rules of one name");
		if (indexing.overlap > indexing.chunkSize / 2) say(["indexing", "overlap"], "must be half of chunkSize at most");
	});
export type WholeGroup = z.infer<typeof wholeGroup>;

/** The group, or what is wrong with it. A path may be given as `./docs/`. */
export function checkGroup(group: unknown): { readonly group: WholeGroup } | { readonly problems: FieldProblems } {
	const parsed = wholeGroup.safeParse(withPlainPath(group));
	if (parsed.success) return { group: parsed.data };
	const problems = new Map<string, string>();
	const say = (path: readonly PropertyKey[], message: string) => {
		const field = path.map(String).join(".").slice(0, MAX_TEXT);
		if (problems.size < MAX_PROBLEMS && !problems.has(field)) problems.set(field, message);
	};
	for (const { code, path, message, ...issue } of parsed.error.issues) {
		if (code !== "unrecognized_keys") say(path, message);
		else for (const key of (issue as { keys: string[] }).keys) say([...path, key], "is not known");
	}
	return { problems: Object.fromEntries(problems) };
}

/** What is wrong with one text of a group: its name, its path, one of its globs. */
export function checkField(field: string, text: string): string | undefined {
	if (field === "name") return NAME.test(text) ? undefined : NAME_PROBLEM;
	if (field === "path") return pathProblem(plainPath(text.trim()));
	return field === "include" || field === "exclude" ? globProblem(text) : undefined;
}

function withPlainPath(group: unknown): unknown {
	if (typeof group !== "object" || group === null || !("path" in group) || typeof group.path !== "string") return group;
	return { ...group, path: plainPath(group.path) };
}

/** `./docs/` is `docs`, and `.` is all of the source; "/" is not. */
function plainPath(path: string): string {
	const plain = path.replace(/^(\.\/+)+/, "");
	return plain === "." ? "" : plain.replace(/(?<=[^/])\/+$/, "");
}
