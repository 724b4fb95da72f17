import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";

export interface FolderChanges {
	readonly added: readonly string[];
	readonly removed: readonly string[];
}

/** Every folder above a path, without the root. */
function ancestors(path: string): string[] {
	const found: string[] = [];
	for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
		found.push(path.slice(0, slash));
	}
	return found;
}

/**
 * Which folders a change set makes appear and disappear. Asks only about folders above changed paths, so that it costs
 * what changed. `rebuild`: all folders that have files afterwards are staged anew.
 */
export async function folderChanges(
	catalog: Pick<Catalog, "hasFilesUnder">,
	base: Snapshot,
	source: string,
	addedPaths: ReadonlySet<string>,
	removedPaths: ReadonlySet<string>,
	rebuild: boolean,
	first: boolean,
): Promise<FolderChanges> {
	const filled = new Set<string>();
	for (const path of addedPaths) for (const folder of ancestors(path)) filled.add(folder);
	const added: string[] = first || rebuild ? [""] : [];
	for (const folder of filled) {
		if (first || rebuild || !(await catalog.hasFilesUnder(base, source, folder, []))) added.push(folder);
	}
	const emptied = new Map<string, string[]>();
	for (const path of [...removedPaths].sort()) {
		for (const folder of ancestors(path)) {
			if (filled.has(folder)) continue;
			const gone = emptied.get(folder);
			if (gone) gone.push(path);
			else emptied.set(folder, [path]);
		}
	}
	const removed: string[] = [];
	for (const [folder, gone] of emptied) {
		if (!(await catalog.hasFilesUnder(base, source, folder, gone))) removed.push(folder);
	}
	return { added: added.sort(), removed: removed.sort() };
}
