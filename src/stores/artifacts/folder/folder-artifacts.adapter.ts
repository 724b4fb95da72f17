import { join } from "node:path";
import type { ArtifactStore } from "../artifacts.port.js";
import { collectFiles } from "./collect-files.js";
import { DerivedFiles } from "./derived-files.js";
import { FileDrop } from "./file-drop.js";
import { ObjectFiles } from "./object-files.js";
import { RecordFiles } from "./record-files.js";
import { RootTable } from "./root-table.js";

export interface FolderArtifactOptions {
	/** The archive's folder, created where it is missing. One file system: files are renamed within it. */
	readonly path: string;
}

/** The calls that each file of an ingestion makes. */
export type ArchiveFiles = Pick<ArtifactStore, "put" | "missing" | "putDerived" | "getDerived" | "close">;

/** Those alone, for a thread of their own. */
export function createArchiveFiles({ path }: FolderArtifactOptions): ArchiveFiles {
	const { objects, derived } = filesBelow(path);
	return {
		put: (contents) => objects.put(contents),
		missing: (addresses) => objects.missing(addresses),
		putDerived: (key, bytes) => derived.put(key, bytes),
		getDerived: (key) => derived.get(key),
		close: async () => undefined,
	};
}

function filesBelow(path: string) {
	const drop = new FileDrop(join(path, "tmp"));
	const objects = new ObjectFiles(join(path, "objects"), join(path, "trash"), drop);
	return { drop, objects, derived: new DerivedFiles(join(path, "derived"), drop) };
}

/**
 * The archive in a folder: `objects/` by SHA-256, `derived/` and `records/` by key, `roots.db`. Any number of processes may have it open.
 * @throws PERMISSION_DENIED, DISK_FULL, STORE_CORRUPT, STORE_UNAVAILABLE
 */
export function createFolderArtifactStore(options: FolderArtifactOptions): ArtifactStore {
	const { drop, objects, derived } = filesBelow(options.path);
	const records = new RecordFiles(join(options.path, "records"), drop);
	const roots = new RootTable(join(options.path, "roots.db"));

	return {
		capabilities: { refusesClosedSeq: true },

		put: (contents) => objects.put(contents),
		putStream: (content) => objects.putStream(content),
		get: (object) => objects.get(object),
		getStream: (object) => objects.getStream(object),
		missing: (addresses) => objects.missing(addresses),

		putDerived: (key, bytes) => derived.put(key, bytes),
		getDerived: (key) => derived.get(key),
		removeDerived: (prefix) => derived.remove(prefix),

		putRecord: (key, bytes) => records.put(key, bytes),
		getRecord: (key) => records.get(key),
		recordKeys: (prefix, after) => records.keys(prefix, after),
		removeRecords: (prefix) => records.remove(prefix),

		stageRoot: async (seq, root) => roots.stage(seq, root),
		stagedRoot: async (seq) => roots.staged(seq),
		root: async (snapshot, source) => roots.at(snapshot, source),
		discard: async (seq) => roots.discard(seq),
		collectRoots: async (source, horizon, open) => roots.collect(source, horizon, open),
		roots: async () => roots.all(),
		highestSeq: async () => roots.highestSeq(),
		collectObjects: (kept, before) => collectFiles(objects, derived, drop.folder, kept, before),
		dropSource: async (source) => roots.drop(source),
		check: async () => roots.check(),
		close: async () => roots.close(),
	};
}
