import { randomUUID } from "node:crypto";
import type { JsonObject } from "../../domain/digest.js";
import type { EventStore, NewEvent } from "../../stores/events/events.port.js";
import {
	generatedData,
	receivedData,
	rejectedData,
	SEARCH_EVENTS_LOST,
	SEARCH_QUERY_RECEIVED,
	SEARCH_QUERY_REJECTED,
	SEARCH_RESULTS_GENERATED,
	searchStream,
	type UserData,
} from "./search-events.js";
import type { SearchLog } from "./search-log.js";

export interface SearchLogOptions {
	readonly userData: UserData;
	/** Takes known secrets out of what people asked, before it is kept. Given JSON, it leaves JSON. */
	readonly redact: (text: string) => string;
	/** Told when the first search since the last write is left out, and at the end how many are not in the events. */
	readonly onLost?: (searches: number, error: unknown) => void;
	/** Milliseconds; tests wait less. */
	readonly flushAfterMs?: number;
	readonly closeWithinMs?: number;
	readonly maxPending?: number;
}

const FLUSH_AFTER_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
const CLOSE_WITHIN_MS = 5_000;
const CLOSE_PAUSE_MS = 100;
/** Some megabytes at most. Beyond it searches go on and are only counted. */
const MAX_PENDING = 5_000;
const BATCH = 200;

interface Pending {
	readonly stream: string;
	readonly event: NewEvent;
}

/**
 * Writes events about searches in batches, after the answers: a search waits for nothing. What fails is tried again, and an event is kept once
 * however often it is sent. While the store is away so many events wait in memory; searches beyond that are answered, counted, and
 * the count becomes an event of its own when the store is back.
 */
export function createSearchLog(events: Pick<EventStore, "append">, options: SearchLogOptions): SearchLog {
	const { userData, onLost, flushAfterMs = FLUSH_AFTER_MS, maxPending = MAX_PENDING } = options;
	const pending: Pending[] = [];
	let lost = 0;
	let failures = 0;
	let lastError: unknown;
	let timer: NodeJS.Timeout | undefined;
	let flushing: Promise<void> | undefined;
	let closed = false;

	function push(
		stream: string,
		search: string,
		correlationId: string,
		type: string,
		data: JsonObject,
		source?: string,
	) {
		const causationId = type === SEARCH_QUERY_RECEIVED ? {} : { causationId: search };
		const metadata = { correlationId, ...causationId, idempotencyKey: `${search}/${type}`, ...(source && { source }) };
		pending.push({ stream, event: { type, data, metadata } });
		schedule();
	}

	function schedule(): void {
		if (timer !== undefined || closed) return;
		const pause = failures === 0 ? flushAfterMs : Math.min(flushAfterMs * 2 ** failures, LONGEST_PAUSE_MS);
		timer = setTimeout(() => {
			timer = undefined;
			void flush();
		}, pause);
		// Whoever ends in order closes the log.
		timer.unref();
	}

	/** One at a time; never rejects. */
	function flush(): Promise<void> {
		flushing ??= write().finally(() => {
			flushing = undefined;
			if (pending.length > 0) schedule();
		});
		return flushing;
	}

	async function write(): Promise<void> {
		try {
			while (pending.length > 0) {
				const stream = pending[0]?.stream as string;
				const other = pending.slice(0, BATCH).findIndex((each) => each.stream !== stream);
				const batch = pending.slice(0, other < 0 ? BATCH : other);
				await events.append(
					stream,
					"any",
					batch.map(({ event }) => event),
				);
				pending.splice(0, batch.length);
				failures = 0;
			}
			if (lost === 0) return;
			const count = lost;
			const id = randomUUID();
			const metadata = { correlationId: id, idempotencyKey: id };
			const data = { searches: count };
			await events.append(searchStream(new Date().toISOString()), "any", [
				{ type: SEARCH_EVENTS_LOST, data, metadata },
			]);
			lost -= count;
		} catch (error) {
			failures += 1;
			lastError = error;
		}
	}

	return {
		received(query, source) {
			const search = randomUUID();
			const receivedAt = new Date().toISOString();
			const stream = searchStream(receivedAt);
			const correlationId = query.correlationId ?? search;
			const isFull = pending.length >= maxPending || closed;
			const tell = (type: string, data: () => JsonObject) => {
				// A search is told from its beginning to its end or not at all.
				if (isFull || closed) return;
				const kept = JSON.parse(options.redact(JSON.stringify(data()))) as JsonObject;
				push(stream, search, correlationId, type, kept, source);
			};
			if (isFull) {
				lost += 1;
				if (lost === 1) onLost?.(lost, lastError);
			}
			tell(SEARCH_QUERY_RECEIVED, () => receivedData(search, receivedAt, query, userData));
			return {
				generated: (report, times) => tell(SEARCH_RESULTS_GENERATED, () => generatedData(search, report, times)),
				rejected: (error) => tell(SEARCH_QUERY_REJECTED, () => rejectedData(search, error, userData)),
			};
		},

		async close() {
			if (closed) return;
			const until = Date.now() + (options.closeWithinMs ?? CLOSE_WITHIN_MS);
			clearTimeout(timer);
			timer = undefined;
			// Also what was pushed while an earlier flush was under way.
			do {
				await flush();
				if (pending.length + lost === 0) break;
				await new Promise((resolve) => setTimeout(resolve, CLOSE_PAUSE_MS));
			} while (Date.now() < until);
			closed = true;
			clearTimeout(timer);
			const untold = lost + pending.filter(({ event }) => event.type === SEARCH_QUERY_RECEIVED).length;
			if (untold > 0) onLost?.(untold, lastError);
		},
	};
}
