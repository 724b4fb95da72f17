import { sha256 } from "./digest.js";
import type { EntityKey } from "./entities.js";

/**
 * Keys of entities and origins. Local to a source unless said otherwise. Paths are POSIX, relative, without a leading
 * slash; the root folder is "". A path that is not UTF-8 is written with `\xHH` for each offending byte (see sources/git).
 */

/** `<readable part>-<12 hex digits>`: derives from the address (and branch) alone, so it is the same on every machine. */
export function sourceId(address: string, branch: string): string {
	const base =
		address
			.replace(/[/\\]+$/, "")
			.split(/[/\\:]/)
			.pop() ?? "";
	const slug = base
		.replace(/\.git$/, "")
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, "-")
		.replace(/^-+|-+$/g, "")
		.slice(0, 40);
	return `${slug || "source"}-${sha256(`${address}\0${branch}`).slice(0, 12)}`;
}

export const fileOrigin = (path: string): string => `file:${path}`;
export const folderOrigin = (path: string): string => `folder:${path}`;
export const commitOrigin = (sha: string): string => `commit:${sha}`;
export const linkOrigin = (name: EntityKey): string => `link:${name}`;

export function originPath(origin: string): string | undefined {
	return origin.startsWith("file:") ? origin.slice(5) : undefined;
}

export const repositoryKey = (source: string): EntityKey => `repository:${source}`;
export const commitKey = (source: string, sha: string): EntityKey => `commit:${source}:${sha}`;
/** Global: one person over all sources. */
export const contributorKey = (email: string, name: string): EntityKey =>
	`contributor:${(email || name).trim().toLowerCase()}`;
export const folderKey = (source: string, path: string): EntityKey =>
	path === "" ? repositoryKey(source) : `folder:${source}:${path}`;
export const fileKey = (source: string, path: string): EntityKey => `file:${source}:${path}`;
/** `qualified` is the dotted path inside the file (`Client.send`); overloads of one name share the key. */
export const symbolKey = (source: string, path: string, qualified: string): EntityKey =>
	`symbol:${source}:${path}#${qualified}`;
/** Global. `ecosystem`: npm, pypi, go, cargo, maven. */
export const packageKey = (ecosystem: string, name: string): EntityKey => `package:${ecosystem}/${name}`;
/** A module that is not a file of the source, e.g. a standard library: `module:python/os`. Global. */
export const moduleKey = (language: string, name: string): EntityKey => `module:${language}/${name}`;
export const dataModelKey = (source: string, name: string): EntityKey => `data_model:${source}:${name}`;
export const columnKey = (model: EntityKey, column: string): EntityKey => `column:${model}.${column}`;
export const datasetKey = (source: string, path: string): EntityKey => `dataset:${source}:${path}`;
export const documentKey = (source: string, path: string): EntityKey => `document:${source}:${path}`;
export const sectionKey = (source: string, path: string, slug: string): EntityKey =>
	`section:${source}:${path}#${slug}`;
export const businessEntityKey = (source: string, name: string): EntityKey => `business_entity:${source}:${name}`;

/**
 * A name that the link step resolves inside one source. `scope` keeps languages and uses apart:
 * `module` (a path or dotted module), `member` (`<module>#<export>`), `symbol` (a bare identifier), `model` (a data model),
 * `path` (a file by its path), `doc` (a docs block).
 */
export type NameScope = "module" | "member" | "symbol" | "model" | "path" | "doc";
export const nameKey = (source: string, scope: NameScope, language: string, text: string): EntityKey =>
	`name:${source}:${scope}:${language}:${text}`;
