/** The tables of the event log, as any SQL engine has them. Texts of JSON are canonical, so equal values are equal texts. */
export interface EventTables {
	/** One row, which every append locks: positions have no gaps, and become visible in their order. */
	event_log: { id: 1; position: number };
	/** The last event of each stream, so that a missing end is noticed. */
	stream: { name: string; version: number; seal: string };
	event: {
		position: number;
		stream: string;
		version: number;
		id: string;
		type: string;
		time: string;
		data: string;
		correlation_id: string;
		causation_id: string | null;
		idempotency_key: string;
		source: string | null;
		/** See `sealOf`. */
		seal: string;
	};
	checkpoint: { consumer: string; position: number };
	/** Which events a consumer's effect holds. */
	processed_event: { consumer: string; event: string };
	/** How far in each stream a consumer's effect is. */
	consumer_stream: { consumer: string; stream: string; version: number };
	source_activity: {
		source: string;
		receipts: number;
		published: number;
		compensated: number;
		last_receipt_at: string | null;
		last_published_at: string | null;
	};
}
