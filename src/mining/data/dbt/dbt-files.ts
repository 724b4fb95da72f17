import { posix } from "node:path";
import type { FileInput } from "../../extractor.js";

/** Which files of a repository belong to a dbt project, by path and beginning: nobody may read dbt_project.yml to decide. */

const HEAD = 65_536;
const MODEL_FOLDERS = new Set(["models", "snapshots", "analyses", "analysis"]);
const SEED_FOLDERS = new Set(["seeds", "data"]);

export const folders = (path: string): readonly string[] => path.split("/").slice(0, -1);
/** The file's name without its last extension. */
export const stem = (path: string): string => posix.basename(path).replace(/\.[^.]*$/, "");

/** A `.sql` file that dbt compiles: it holds Jinja, or is a query in one of dbt's folders. */
export function isDbtSql(input: Pick<FileInput, "path" | "text">): boolean {
	if (!/\.sql$/i.test(input.path) || input.text === undefined) return false;
	const head = input.text.slice(0, HEAD);
	if (/\{\{|\{%/.test(head)) return true;
	return (
		folders(input.path).some((folder) => MODEL_FOLDERS.has(folder)) && /^(?:select|with|\()/i.test(firstWord(head))
	);
}

/** A properties file: `models:`, `sources:` and their like at the top level. */
export function isDbtProperties(input: FileInput): boolean {
	if (!/\.ya?ml$/i.test(input.path) || input.text === undefined || isDbtProject(input) || isDbtPackages(input))
		return false;
	return /^(?:models|sources|seeds|snapshots|exposures)[ \t]*:/m.test(input.text.slice(0, HEAD));
}

export function isDbtProject(input: FileInput): boolean {
	return /^dbt_project\.ya?ml$/.test(posix.basename(input.path)) && input.text !== undefined;
}

/** packages.yml and dependencies.yml are names that others use too: a list of packages must stand in them. */
export function isDbtPackages(input: FileInput): boolean {
	if (!/^(?:packages|dependencies)\.ya?ml$/.test(posix.basename(input.path)) || input.text === undefined) return false;
	return /^(?:packages|projects)[ \t]*:/m.test(input.text.slice(0, HEAD));
}

export function isDbtSeed(input: FileInput): boolean {
	return /\.csv$/i.test(input.path) && folders(input.path).some((folder) => SEED_FOLDERS.has(folder));
}

export function isDbtDocs(input: FileInput): boolean {
	return /\.(?:md|markdown)$/i.test(input.path) && /\{%-?\s{0,20}docs\s/.test(input.text ?? "");
}

/** From the first character on that is neither white space nor in a comment. */
function firstWord(head: string): string {
	let at = 0;
	for (;;) {
		while (at < head.length && /\s/.test(head[at] as string)) at += 1;
		const close = head.startsWith("--", at) ? "\n" : head.startsWith("/*", at) ? "*/" : undefined;
		const end = close === undefined ? -1 : head.indexOf(close, at);
		if (close === undefined || end === -1) return head.slice(at, at + 20);
		at = end + close.length;
	}
}
