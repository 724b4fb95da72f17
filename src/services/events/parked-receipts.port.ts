/** A webhook that was written down and cannot have an effect as things were. */
export interface ParkedReceipt {
	readonly id: string;
	readonly sender: string;
	/** The sender's name of what happened. */
	readonly event: string;
	/** Addresses by which the repository may be known. */
	readonly repository: readonly string[];
	/** Undefined: any branch. */
	readonly branch?: string;
	readonly commit?: string;
	/** ISO 8601, UTC, as `parkedAt`. */
	readonly receivedAt: string;
	readonly parkedAt: string;
	readonly reason: string;
}

/** The ledger of webhooks of this home, for others than the gateway that owns it. */
export interface ParkedReceiptsPort {
	/** Changes nothing. Bytes are those on the disk. */
	read(): Promise<{ readonly parked: readonly ParkedReceipt[]; readonly waiting: number; readonly bytes: number }>;
	/** The process of the gateway that runs. */
	gateway(): Promise<number | undefined>;
	/**
	 * Has those wait again that are still parked: by the gateway, or where none runs by this process. Says which of the two it was.
	 * @throws TIMEOUT where the gateway does not take it in time, STORE_UNAVAILABLE where it refuses
	 */
	replay(ids: readonly string[]): Promise<{ readonly by: "gateway" | "us" }>;
}
