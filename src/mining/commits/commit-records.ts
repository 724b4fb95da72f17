import { posix } from "node:path";
import type { CommitInfo } from "../../domain/commits.js";
import type { Edge, EntityKey, GraphRecord } from "../../domain/entities.js";
import { commitKey, commitOrigin, contributorKey, nameKey } from "../../domain/keys.js";
import { storableText } from "../storable-text.js";

const MAX_EDGES = 2_000;
const SUBJECT_IN_NAME = 72;
const DBT_FOLDERS: ReadonlySet<string> = new Set(["models", "seeds", "snapshots"]);
const DBT_EXTENSIONS: ReadonlySet<string> = new Set([".sql", ".csv", ".py"]);

/**
 * The records of a commit's origin: the commit with its PARENTs, and its author, who AUTHORED it and IMPLEMENTS the data
 * models whose files it touches (by name: dbt models by file name, other SQL by path). The author's state holds what
 * follows from the author alone, so that all commits agree on it.
 */
export function commitRecords(source: string, commit: CommitInfo): GraphRecord[] {
	const origin = commitOrigin(commit.sha);
	const key = commitKey(source, commit.sha);
	const subject = storableText(commit.subject);
	const authorName = storableText(commit.authorName).trim();
	const authorEmail = storableText(commit.authorEmail).trim();
	const parents = [...new Set(commit.parents)].sort().slice(0, MAX_EDGES);
	const contributor = contributorKey(authorEmail, authorName);
	const models = new Set<EntityKey>();
	for (const path of commit.paths) {
		const model = modelName(source, path);
		if (model !== undefined) models.add(model);
	}
	const records: GraphRecord[] = [
		{
			source,
			origin,
			key,
			kind: "commit",
			name: firstCharacters(subject, SUBJECT_IN_NAME) || commit.sha.slice(0, 12),
			props: {
				sha: commit.sha,
				subject,
				authoredAt: commit.authoredAt,
				authorName,
				authorEmail,
				...(commit.metadata !== undefined && { metadata: storableMetadata(commit.metadata) }),
			},
			edges: parents.map((sha): Edge => ({ kind: "PARENT", to: commitKey(source, sha) })),
			provides: [],
		},
		{
			source,
			origin,
			key: contributor,
			kind: "contributor",
			name: authorName || authorEmail || "unknown",
			props: { email: authorEmail.toLowerCase() },
			edges: [
				{ kind: "AUTHORED", to: key },
				...[...models]
					.sort()
					.slice(0, MAX_EDGES - 1)
					.map((to): Edge => ({ kind: "IMPLEMENTS", to })),
			],
			provides: [],
		},
	];
	return records.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Sorted, so that it does not depend on how the source listed it. */
function storableMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
	const pairs = Object.entries(metadata).map(([key, value]) => [storableText(key), storableText(value)] as const);
	return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function modelName(source: string, path: string): EntityKey | undefined {
	const extension = posix.extname(path);
	const folders = path.split("/").slice(0, -1);
	if (DBT_EXTENSIONS.has(extension) && folders.some((folder) => DBT_FOLDERS.has(folder))) {
		return nameKey(source, "model", "dbt", posix.basename(path, extension));
	}
	return extension === ".sql" ? nameKey(source, "model", "file", path) : undefined;
}

/** By code points: half a surrogate pair is no text that a database takes. */
function firstCharacters(text: string, count: number): string {
	return [...text.slice(0, count * 2)].slice(0, count).join("");
}
