/** POSIX paths inside a source, without the platform's separator: sources always use `/`. */

export const dirname = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
export const basename = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Folder and relative path joined and normalised; undefined where it leaves the source. The root is "". */
export function resolvePath(folder: string, relative: string): string | undefined {
	const parts = folder === "" ? [] : folder.split("/");
	for (const part of relative.split("/")) {
		if (part === "" || part === ".") continue;
		if (part === "..") {
			if (parts.pop() === undefined) return undefined;
		} else parts.push(part);
	}
	return parts.join("/");
}

/** The path without the first of these endings that it has. */
export function withoutExtension(path: string, extensions: readonly string[]): string {
	for (const extension of extensions) if (path.endsWith(extension)) return path.slice(0, -extension.length);
	return path;
}

/** The readable part of a source id (see `sourceId`): the closest there is to the repository's name. */
export const sourceName = (source: string): string => source.replace(/-[0-9a-f]{12}$/, "");
