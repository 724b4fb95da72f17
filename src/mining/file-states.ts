import { posix } from "node:path";
import type { FileMode } from "../domain/commits.js";
import type { JsonObject } from "../domain/digest.js";
import type { Edge, EntityKey, EntityState, GraphRecord } from "../domain/entities.js";
import { fileKey, folderKey, folderOrigin, nameKey } from "../domain/keys.js";
import type { Skip } from "../domain/mined-file.js";

export interface FileFacts {
	readonly source: string;
	readonly path: string;
	readonly mode: FileMode;
	/** SHA-256 of the bytes: tells a changed file from an unchanged one of the same size. */
	readonly artifact: string;
	/** Bytes. */
	readonly size: number;
	readonly mediaType: string;
	readonly language: string | undefined;
	/** 0 where it has no text. */
	readonly lines: number;
	readonly skips: readonly Skip[];
	/** What a symlink points to, as it is written. */
	readonly target?: string;
	/** What a git LFS pointer stands for. */
	readonly lfs?: { readonly oid: string; readonly size: number };
	/** What plugins found out about it. */
	readonly metadata?: JsonObject;
}

/** What every file says: itself, the path under which others refer to it, and that its folder CONTAINS it. */
export function fileStates(file: FileFacts): EntityState[] {
	const { source, path, mode, artifact, size, mediaType, language, lines, skips, target, lfs, metadata } = file;
	const key = fileKey(source, path);
	const reasons = [...new Set(skips.map((skip) => skip.reason))].sort();
	return [
		{
			key,
			kind: "file",
			name: posix.basename(path),
			props: {
				path,
				artifact,
				size,
				mediaType,
				lines,
				...(language === undefined ? {} : { language }),
				...(mode === "file" ? {} : { mode }),
				...(reasons.length === 0 ? {} : { skips: reasons }),
				...(target === undefined ? {} : { target }),
				...(lfs === undefined ? {} : { lfs }),
				...(metadata === undefined ? {} : { metadata }),
			},
			edges: [],
			provides: [{ name: nameKey(source, "path", "", path), rank: 0 }],
		},
		folderState(source, parentOf(path), [{ kind: "CONTAINS", to: key }]),
	];
}

/** The records of a folder's own origin; of the root's too (`path` ""), which has no parent. */
export function folderRecords(source: string, path: string): GraphRecord[] {
	const own = folderState(source, path, []);
	const states: EntityState[] = [{ ...own, provides: [{ name: nameKey(source, "path", "", path), rank: 0 }] }];
	if (path !== "") states.push(folderState(source, parentOf(path), [{ kind: "CONTAINS", to: own.key }]));
	return states
		.map((state): GraphRecord => ({ ...state, source, origin: folderOrigin(path) }))
		.sort((a, b) => compare(a.key, b.key));
}

/** Equal for every origin that states it but for the edges, so that readers merge states without choosing. */
function folderState(source: string, path: string, edges: readonly Edge[]): EntityState {
	const root = path === "";
	const key: EntityKey = folderKey(source, path);
	return {
		key,
		kind: root ? "repository" : "folder",
		name: root ? source : posix.basename(path),
		props: {},
		edges,
		provides: [],
	};
}

function parentOf(path: string): string {
	const parent = posix.dirname(path);
	return parent === "." || parent === "/" ? "" : parent;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
