import type { JsonObject } from "../../domain/digest.js";

/** An immutable fact to be appended. */
export interface NewEvent {
	readonly type: string;
	readonly data: JsonObject;
	readonly metadata: {
		readonly correlationId: string;
		readonly causationId?: string;
		/** The same key in the same stream is appended once; a repeat returns the first. */
		readonly idempotencyKey: string;
		readonly source?: string;
	};
}

export interface StoredEvent extends NewEvent {
	readonly id: string;
	readonly stream: string;
	/** 1, 2, 3 … in its stream, without gaps. */
	readonly version: number;
	/** Global position: increases, may have gaps. */
	readonly position: number;
	/** ISO 8601, UTC. */
	readonly time: string;
}

/** `any`: no check. A number: the version the stream has now (0: it does not exist). */
export type ExpectedVersion = number | "any";

/** What happened to a source, counted. Times are ISO 8601, UTC. */
export interface SourceActivity {
	readonly source: string;
	/** Webhooks that were dispatched to it. */
	readonly receipts: number;
	readonly published: number;
	/** Ingestions that ended without being published, all of them discarded. */
	readonly compensated: number;
	readonly lastReceiptAt?: string;
	readonly lastPublishedAt?: string;
}

/** All that are given have to hold. */
export interface EventFilter {
	readonly stream?: string;
	/** One of these. */
	readonly types?: readonly string[];
	readonly source?: string;
	/** One of these; `any`: those that are about a source at all. */
	readonly sources?: readonly string[] | "any";
}

export interface EventStore {
	/** All or none. Events whose idempotency key is already in the stream are returned as stored. @throws VERSION_CONFLICT */
	append(stream: string, expected: ExpectedVersion, events: readonly NewEvent[]): Promise<StoredEvent[]>;
	/** In order, from `fromVersion` (1-based, inclusive). */
	read(stream: string, fromVersion?: number, limit?: number): Promise<StoredEvent[]>;
	/** All streams in global order, after `position`. A position seen once is never followed later by a smaller one. */
	readAll(position: number, limit: number, filter?: EventFilter): Promise<StoredEvent[]>;
	/** The last events that match, newest first. */
	latest(limit: number, filter?: EventFilter): Promise<StoredEvent[]>;
	/**
	 * Calls the handler for each event after the checkpoint of `consumer`, in global order, at least once, and moves the checkpoint after
	 * the handler returned. A handler that throws stops the subscription with that error. Returns a function that stops it and waits.
	 */
	subscribe(consumer: string, handler: (event: StoredEvent) => Promise<void>): Promise<() => Promise<void>>;
	/** The position up to which a consumer has done its work; 0 for one that has not begun. */
	checkpoint(consumer: string): Promise<number>;
	/** Never back: another process may serve the same consumer, and be ahead. */
	moveCheckpoint(consumer: string, position: number): Promise<void>;
	/** The consumer begins anew, or is gone. */
	forgetCheckpoint(consumer: string): Promise<void>;
	/** A read model over all events up to now: each counts exactly once, however often and by how many processes this is asked. */
	activity(): Promise<SourceActivity[]>;
	close(): Promise<void>;
}
