import { type Command, InvalidArgumentError, Option } from "commander";
import { GROUPINGS } from "../domain/group.js";
import type { GroupFields } from "../domain/group-input.js";
import { wholeNumber } from "./parse.js";

/** Commander makes an empty text of null. */
type Bound = number | "none";

/** What the options of `group create` and `group update` say. */
export interface FieldOptions {
	readonly path?: string;
	readonly include?: readonly string[];
	readonly exclude?: readonly string[];
	readonly grouping?: (typeof GROUPINGS)[number];
	readonly rule?: readonly { readonly name: string; readonly globs: readonly string[] }[];
	readonly model?: string;
	readonly chunkSize?: number;
	readonly overlap?: number;
	readonly maxVersions?: Bound;
	readonly ttl?: Bound;
}

/** Again and again; the empty text stands for none. Not separated by commas: globs have them. */
const another = (value: string, previous: string[] = []): string[] => (value === "" ? previous : [...previous, value]);

function rule(value: string, previous: { name: string; globs: string[] }[] = []) {
	const at = value.indexOf("=");
	if (at <= 0) throw new InvalidArgumentError("It must be NAME=GLOB; a name that is given again has another glob.");
	const [name, glob] = [value.slice(0, at), value.slice(at + 1)];
	const known = previous.find((one) => one.name === name);
	if (!known) return [...previous, { name, globs: [glob] }];
	return previous.map((one) => (one === known ? { name, globs: [...one.globs, glob] } : one));
}

function bounded(none: string, min: number, max: number): (value: string) => Bound {
	const number = wholeNumber(min, max);
	return (value) => (value === none ? "none" : number(value));
}

export function addFieldOptions(command: Command): Command {
	return command
		.option("--path <folder>", "only this folder of the source")
		.option("--include <glob>", "files to take in, below --path; may be repeated", another)
		.option("--exclude <glob>", 'files to leave out, below --path; may be repeated; "" for none', another)
		.addOption(new Option("--grouping <kind>", "how hits are put together").choices([...GROUPINGS]))
		.option("--rule <name=glob>", "a rule of --grouping custom; may be repeated", rule)
		.option("--model <id>", "the embedding model; configured: the one that the configuration names now")
		.option("--chunk-size <n>", "characters of a chunk, 200 to 20000", wholeNumber(200, 20_000))
		.option("--overlap <n>", "characters that a cut repeats", wholeNumber(0, 2_000))
		.option("--max-versions <n>", "published commits that stay queryable, or all", bounded("all", 1, 1_000_000_000))
		.option(
			"--ttl <seconds>",
			"how long what is superseded stays queryable, or forever",
			bounded("forever", 0, 10_000_000_000),
		)
		.option("--no-wait", "return once the re-index is accepted: it is done by `lode dev`");
}

const bound = (value: Bound | undefined): number | null | undefined => (value === "none" ? null : value);

export function fieldsOf(options: FieldOptions): GroupFields {
	const { path, include, exclude, grouping, rule: rules, model, chunkSize, overlap, maxVersions, ttl } = options;
	const some = <T extends object>(values: T): T | undefined =>
		Object.values(values).some((value) => value !== undefined) ? values : undefined;
	return {
		path,
		include,
		exclude,
		grouping,
		rules,
		indexing: some({ model, chunkSize, overlap }),
		retention: some({ maxVersions: bound(maxVersions), ttl: bound(ttl) }),
	};
}

export const saysNothing = (fields: GroupFields): boolean =>
	Object.values(fields).every((value) => value === undefined);
