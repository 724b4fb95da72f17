/** Who sends webhooks that Lode understands. */
export const SENDERS = ["lakefs", "github", "gitlab", "gitea", "generic"] as const;
export type SenderName = (typeof SENDERS)[number];

/** What a sender says, as far as Lode needs it: that a branch of a repository may have moved. */
export interface Notice {
	readonly sender: SenderName;
	/** The same for every delivery of one event: a repeat has no effect. */
	readonly key: string;
	/** The sender's name of what happened. */
	readonly event: string;
	/** Addresses by which the repository may be known as a source. */
	readonly repository: readonly string[];
	/** Undefined: any of its branches. */
	readonly branch?: string;
	/** For people: which commit caused it. What is ingested follows from the branch. */
	readonly commit?: string;
	/** The trace that it belongs to (W3C `traceparent`), where traces are made. */
	readonly trace?: string;
}

/** A notice that was written down before it was answered. */
export interface Receipt extends Notice {
	/** `rcp-1`, `rcp-2`, … in the order of the ledger. */
	readonly id: string;
	/** ISO 8601, UTC. */
	readonly receivedAt: string;
}

export interface ParkedReceipt extends Receipt {
	readonly reason: string;
	readonly parkedAt: string;
}
