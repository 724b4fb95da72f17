/** One immutable state of a source, as its log tells it. */
export interface CommitInfo {
	readonly sha: string;
	readonly parents: readonly string[];
	readonly authorName: string;
	readonly authorEmail: string;
	/** ISO 8601, UTC. */
	readonly authoredAt: string;
	readonly subject: string;
	/** Paths that differ from the first parent (none for merges), at most 2,000. */
	readonly paths: readonly string[];
	/** What the committer attached to it (lakeFS), by key. Absent where there is nothing. */
	readonly metadata?: Readonly<Record<string, string>>;
}

export type FileMode = "file" | "executable" | "symlink" | "submodule";

/** One file of a commit. `blob` is the source's own id of its content (a git object id, a SHA-256). */
export interface FileEntry {
	readonly path: string;
	readonly blob: string;
	readonly mode: FileMode;
	/** Bytes; 0 for submodules. */
	readonly size: number;
}

/** One line of a change set. A rename is a removal and an addition: embeddings come from the cache, so it costs nothing. */
export type Change =
	| { readonly type: "added"; readonly file: FileEntry }
	| { readonly type: "modified"; readonly file: FileEntry }
	| { readonly type: "removed"; readonly path: string };
