import type { Tally } from "../domain/digest.js";
import type { Seq, Snapshot } from "../domain/snapshot.js";

/** What an engine cannot do. Visibility, discard, time travel, collection and digests are never optional. */
export interface StoreCapabilities {
	/**
	 * Refuses a write for a closed seq in the write's own transaction (SEQ_CLOSED). Otherwise writes have a deadline, and the discard is
	 * repeated after it.
	 */
	readonly refusesClosedSeq: boolean;
}

export interface WriteOptions {
	/**
	 * Milliseconds since 1970. Where the engine cannot refuse a closed seq, no request of the write leaves after it (STORE_UNAVAILABLE): a
	 * process that was paused and wakes up later must not write behind a discard. Engines that refuse by themselves ignore it.
	 */
	readonly deadline?: number;
	/**
	 * The same write was tried before and may have been cut off within one record. Engines whose writes are whole or not at all ignore it; one that
	 * is not writes the records anew instead of believing that what it finds is complete.
	 */
	readonly again?: boolean;
}

export interface StagedTally {
	readonly added: Tally;
	readonly retired: Tally;
}

export interface OriginTally {
	readonly origin: string;
	readonly tally: Tally;
}

export interface StoreProblem {
	/** The source it belongs to, where that can be told. */
	readonly source?: string;
	/** Names the record, e.g. `file:src/a.ts chunk 3`. */
	readonly record: string;
	readonly problem: string;
}

/**
 * What every multi-version store does. Records are immutable but for `removedAt`. All writes are idempotent: the same call
 * twice, in any order, interleaved with other sources' calls, leaves what one call leaves.
 */
export interface VersionedStore {
	readonly capabilities: StoreCapabilities;

	/**
	 * Retires the current records of these origins: `removedAt = seq` where `addedAt < seq` and there is none yet.
	 * Commutes with staging under the same seq. @throws SEQ_CLOSED
	 */
	retire(seq: Seq, source: string, origins: readonly string[], options?: WriteOptions): Promise<void>;

	/**
	 * What is there for seq, over the given origins (all of the seq where omitted), computed from the stored content
	 * through the engine's query path, never from a counter.
	 */
	staged(seq: Seq, source: string, origins?: readonly string[]): Promise<StagedTally>;

	/** Closes the seq, deletes what was added at it and clears `removedAt = seq`. Any number of times. */
	discard(seq: Seq): Promise<void>;

	/**
	 * Deletes records of `source` whose `removedAt` is committed in `horizon`, and closes every seq up to `horizon.seq`
	 * but those in `open`. Returns how many records went.
	 */
	collect(source: string, horizon: Snapshot, open: readonly Seq[]): Promise<number>;

	/** One tally over all that is visible of a source, recomputed from the stored content. */
	tally(snapshot: Snapshot, source: string): Promise<Tally>;

	/** The same an origin, ordered by origin in byte order; a page starts after `after`. */
	tallies(snapshot: Snapshot, source: string, after: string | undefined, limit: number): Promise<OriginTally[]>;

	/** The highest seq in any record's `addedAt` or `removedAt`, or closed, of whatever source; 0 where there is none. */
	highestSeq(): Promise<Seq>;

	/** The engine's own integrity and its derived structures (full-text index, quantised vectors). */
	check(): Promise<StoreProblem[]>;

	/** Deletes everything of a source, in every version. */
	dropSource(source: string): Promise<void>;

	/**
	 * Deletes everything of this installation: records of all sources and versions, and what was closed, so that the store can be filled
	 * anew under seqs that it has seen. Nothing may be written meanwhile. Any number of times; what a crash leaves goes with a repeat.
	 */
	clear(): Promise<void>;

	close(): Promise<void>;
}
