import type { Change, CommitInfo, FileEntry } from "../domain/commits.js";
import type { Source, SourceKind } from "../stores/catalog/catalog.port.js";

/** A source as a user named it, resolved: what to follow, and which commit was meant. */
export interface ResolvedTarget {
	readonly kind: SourceKind;
	readonly address: string;
	readonly branch: string;
	/** The full commit id that the target's ref (or its head) has now. */
	readonly commit: string;
}

export interface CommitRange {
	readonly type: "added" | "removed";
	readonly commit: CommitInfo;
}

/** What a branch has and what was published of it has not. */
export interface WaitingCommits {
	readonly commits: number;
	/** When the oldest of them was made (ISO 8601); undefined where nothing tells. */
	readonly since: string | undefined;
}

export interface ReadOptions {
	/** Larger contents are not read: their bytes are streamed by `stream` only. Bytes. */
	readonly maxBytes: number;
	readonly signal?: AbortSignal;
}

/**
 * Where commits come from. Everything a commit id names is immutable. Once `prepare` returned for it, it stays readable for as long as an
 * ingestion needs it: for good where it was copied into Lode's home or archive (git, folders), while the repository exists where copying
 * would cost more than what changed (lakeFS).
 */
export interface SourceAdapter {
	readonly kind: SourceKind;
	/** Whether a target (a path, a URL) is of this kind; cheap. */
	recognises(target: string): Promise<boolean>;
	/** @throws SOURCE_NOT_FOUND, REF_NOT_FOUND, PERMISSION_DENIED, REPOSITORY_UNREADABLE, SOURCE_UNAVAILABLE, CREDENTIALS_IN_URL */
	resolve(target: string, ref: string | undefined): Promise<ResolvedTarget>;
	/** Brings the commit into Lode's home (fetch, copy). Repeatable. `progress` is called at least every few seconds. */
	prepare(source: Source, commit: string, progress: (done: string) => void, signal?: AbortSignal): Promise<void>;
	/** The head of the source's branch now. */
	head(source: Source): Promise<string>;
	/** The head as `head` says it, but only looked at: nothing is fetched, archived or written. */
	peek(source: Source, signal: AbortSignal): Promise<string>;
	/**
	 * How much of `head`, which `peek` said, is not in `published`. Undefined where that cannot be told without fetching. Nothing is written.
	 * No commits: `published` has all of it and more, the branch was moved back.
	 */
	waiting(source: Source, published: string, head: string, signal: AbortSignal): Promise<WaitingCommits | undefined>;
	/** The change set between two prepared commits (`from` undefined: everything), ordered by path, in pages. */
	changes(source: Source, from: string | undefined, to: string): AsyncIterable<readonly Change[]>;
	/** Commits reachable from `to` and not from `from` (added) and the reverse (removed: after a force-push), in pages. */
	commits(source: Source, from: string | undefined, to: string): AsyncIterable<readonly CommitRange[]>;
	/**
	 * Whether the log of a commit reads otherwise than when the commit was prepared: a shallow repository has got more of its history since.
	 * Then `commits` from it on would leave out what came to light behind it.
	 */
	logChanged?(source: Source, commit: string): Promise<boolean>;
	/** Contents in the order of `files`, which `commit` has; `bytes` undefined where it exceeds `maxBytes` or cannot be read (submodules). */
	read(
		source: Source,
		commit: string,
		files: readonly FileEntry[],
		options: ReadOptions,
	): AsyncIterable<{ file: FileEntry; bytes: Uint8Array | undefined }>;
	/** Content of any size, as a stream. */
	stream(source: Source, commit: string, file: FileEntry): Promise<AsyncIterable<Uint8Array>>;
	/** Derived objects of the archive that reading a commit needs: garbage collection keeps those of commits in use. */
	archived?(commit: string): readonly string[];
	/** Deletes what Lode's home holds of it. */
	forget(source: Source): Promise<void>;
}
