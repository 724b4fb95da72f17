/** The number of an ingestion: monotonic over the whole installation, from the catalog. */
export type Seq = number;

/**
 * What a reader sees, in every store: all that was published when the snapshot was taken.
 * `number` counts publications; `seq` is the highest seq published so far and `excluding` those below it
 * that were not published then (still staging, or aborted and not yet cleaned).
 */
export interface Snapshot {
	readonly number: number;
	readonly seq: Seq;
	readonly excluding: readonly Seq[];
	/** ISO 8601, UTC. */
	readonly publishedAt: string;
}

/** The snapshot before the first publication: nothing is visible in it. */
export const EMPTY_SNAPSHOT: Snapshot = { number: 0, seq: 0, excluding: [], publishedAt: "1970-01-01T00:00:00.000Z" };

/** When a record appeared and when it went. `removedAt` is null while it is current. */
export interface Lifetime {
	readonly addedAt: Seq;
	readonly removedAt: Seq | null;
}

/** Which seqs a snapshot shows. */
export type Committed = Pick<Snapshot, "seq" | "excluding">;

export function isCommitted(snapshot: Committed, seq: Seq): boolean {
	return seq <= snapshot.seq && !snapshot.excluding.includes(seq);
}

/** The one visibility rule. Every adapter expresses exactly this in its own query language. */
export function isVisible(snapshot: Snapshot, record: Lifetime): boolean {
	return (
		isCommitted(snapshot, record.addedAt) && !(record.removedAt !== null && isCommitted(snapshot, record.removedAt))
	);
}
