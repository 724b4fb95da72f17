import type { Snapshot } from "../../domain/snapshot.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";

export interface FolderChanges {
	readonly added: readonly string[];
	readonly removed: readonly string[];
}

/** What a change set touches, as far as folders are concerned. */
export class FolderTouches {
	/** Folders that have a file of the change set. Not the files: a first ingestion adds all that there are. */
	readonly filled = new Set<string>();
	readonly removed = new Set<string>();

	add(path: string): void {
		for (const folder of ancestors(path)) {
			// Those above it are known too.
			if (this.filled.has(folder)) return;
			this.filled.add(folder);
		}
	}

	remove(path: string): void {
		this.removed.add(path);
	}
}

/** Every folder above a path, without the root: the nearest first. */
function* ancestors(path: string): Generator<string> {
	for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
		yield path.slice(0, slash);
	}
}

/**
 * Which folders a change set makes appear and disappear. Asks only about folders above changed paths, so that it costs
 * what changed. `rebuild`: all folders that have files afterwards are staged anew.
 */
export async function folderChanges(
	catalog: Pick<Catalog, "hasFilesUnder">,
	base: Snapshot,
	source: string,
	{ filled, removed: removedPaths }: FolderTouches,
	rebuild: boolean,
	first: boolean,
): Promise<FolderChanges> {
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
