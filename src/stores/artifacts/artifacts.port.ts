import type { Seq, Snapshot } from "../../domain/snapshot.js";
import type { StoreProblem, WriteOptions } from "../versioned.port.js";

/** A folder of a commit's manifest: one object, addressed by the SHA-256 of its canonical JSON. */
export interface ManifestFolder {
	/** Sorted by name, in byte order. */
	readonly entries: readonly ManifestEntry[];
}
export type ManifestEntry =
	| { readonly type: "folder"; readonly name: string; readonly object: string }
	| {
			readonly type: "file";
			readonly name: string;
			readonly object: string;
			readonly size: number;
			readonly mode: "file" | "executable" | "symlink";
	  };

/** Points at the manifest of a commit. The only records of this store that carry a seq. */
export interface ManifestRoot {
	readonly source: string;
	readonly commit: string;
	readonly object: string;
}

export interface ObjectInfo {
	readonly object: string;
	readonly size: number;
}

/** Content that is read while it is used. Whoever does not read to the end ends the iteration (`return`). */
export interface ObjectContent {
	/** Bytes. */
	readonly size: number;
	/** @throws STORE_CORRUPT before the last piece when the bytes are not those of the address; STORE_UNAVAILABLE */
	readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * The archive: bytes addressed by their SHA-256, derived objects (mined files, batch listings) addressed by a key, records that
 * are written once under a key, and roots that name the manifest of each ingested commit. Bytes carry no seq: only `collectObjects` deletes
 * objects and derived ones, and only `removeRecords` records.
 */
export interface ArtifactStore {
	readonly capabilities: { readonly refusesClosedSeq: boolean };

	/** Stores what is absent, renews what is there (see `collectObjects`). Durable when it returns. Returns addresses in order. @throws DISK_FULL */
	put(objects: readonly Uint8Array[]): Promise<string[]>;
	/** The same for content of any size: never more than a few chunks in memory. Durable when it returns. @throws DISK_FULL */
	putStream(content: AsyncIterable<Uint8Array>): Promise<ObjectInfo>;
	/** @throws STORE_CORRUPT when the bytes are not those of the address; undefined when absent. */
	get(object: string): Promise<Uint8Array | undefined>;
	/** The same for content of any size: never more than a few pieces in memory. Undefined when absent. */
	getStream(object: string): Promise<ObjectContent | undefined>;
	/** Which of these are absent; renews those that are there. */
	missing(objects: readonly string[]): Promise<string[]>;

	/** Derived objects may be recomputed at any time; `key` is 1..200 of [a-z0-9/_.-]. Overwriting is allowed. */
	putDerived(key: string, bytes: Uint8Array): Promise<void>;
	/** Undefined when absent or damaged (a damaged one is recomputed by the caller). */
	getDerived(key: string): Promise<Uint8Array | undefined>;
	removeDerived(prefix: string): Promise<void>;

	/**
	 * Records are facts: the first bytes under a key stay, whoever comes later. Durable when it returns. `key` as above, at most 8 MiB of bytes.
	 * @throws DISK_FULL
	 */
	putRecord(key: string, bytes: Uint8Array): Promise<void>;
	/** Undefined when absent. @throws STORE_CORRUPT naming the key, when damaged */
	getRecord(key: string): Promise<Uint8Array | undefined>;
	/** All keys that begin with `prefix` (e.g. `events/`), in byte order; those after the key `after` only. */
	recordKeys(prefix: string, after?: string): Promise<string[]>;
	/** Deletes every record whose key begins with `prefix`. Any number of times. */
	removeRecords(prefix: string): Promise<void>;

	/** One root a (seq, source): staging it again with another object replaces it. @throws SEQ_CLOSED */
	stageRoot(seq: Seq, root: ManifestRoot, options?: WriteOptions): Promise<void>;
	stagedRoot(seq: Seq): Promise<ManifestRoot | undefined>;
	/** The root of the last ingestion of the source that is committed in the snapshot. */
	root(snapshot: Snapshot, source: string): Promise<ManifestRoot | undefined>;
	/** Closes the seq and deletes its root; never bytes. Any number of times. */
	discard(seq: Seq): Promise<void>;
	/** Deletes roots of the source that no snapshot from `horizon` on can read; closes seqs as VersionedStore does. */
	collectRoots(source: string, horizon: Snapshot, open: readonly Seq[]): Promise<number>;
	/** All roots, for garbage collection and rebuild. */
	roots(): Promise<{ seq: Seq; root: ManifestRoot }[]>;
	/** The highest seq of a root, or closed; 0 where there is none. */
	highestSeq(): Promise<Seq>;
	/** Deletes objects and derived objects that are not `kept` and were last put or renewed before `before` (ISO 8601). */
	collectObjects(kept: (address: string) => boolean, before: string): Promise<{ objects: number; bytes: number }>;
	dropSource(source: string): Promise<void>;
	/** The engine's own integrity, and roots that are not those that were staged. Bytes prove themselves when they are read. */
	check(): Promise<StoreProblem[]>;
	close(): Promise<void>;
}
