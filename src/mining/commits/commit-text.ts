import type { CommitInfo } from "../../domain/commits.js";
import { commitOrigin } from "../../domain/keys.js";
import { type ChunkRecord, COMMIT_KIND, NO_MODEL } from "../../domain/mined-file.js";
import { storableText } from "../storable-text.js";

/** Part of an ingestion's recipe: raise it where the records below become others. */
export const COMMIT_TEXT_VERSION = 1;
/** A commit that touches more tells nothing of any of them. */
const MAX_PATHS = 50;
const MAX_SUBJECT = 500;

/**
 * What a commit says and which files it touched, for searches to rank files by: one record, without an embedding. None where it touched no
 * file (merges) or more than 50.
 */
export function commitText(source: string, commit: CommitInfo): ChunkRecord[] {
	if (commit.paths.length > MAX_PATHS) return [];
	// Two paths may not become one.
	const paths = commit.paths.filter((path) => !/[\r\n]/.test(path) && storableText(path) === path);
	const subject = storableText(commit.subject).replace(/\s+/g, " ").trim().slice(0, MAX_SUBJECT);
	if (paths.length === 0 || subject === "") return [];
	return [
		{
			source,
			group: "",
			model: NO_MODEL,
			origin: commitOrigin(commit.sha),
			path: "",
			ordinal: 0,
			kind: COMMIT_KIND,
			startLine: 1,
			endLine: 1 + paths.length,
			text: storableText([subject, ...paths].join("\n")),
			vector: Float32Array.of(1),
		},
	];
}
