import { setTimeout as sleep } from "node:timers/promises";
import type { EventStore, StoredEvent } from "../../stores/events/events.port.js";
import { numberedCursor, type Page, type PageRequest } from "./page.js";

export interface EventFilter {
	/** Only those about this source: its id. */
	readonly source?: string;
	/** Only this stream, e.g. `ingestion-ing-3`. */
	readonly stream?: string;
	readonly types?: readonly string[];
}

type Events = Pick<EventStore, "read" | "readAll">;

const SCAN = 500;
/** Events that one page looks at, at most. */
const MOST_SCANNED = 5_000;
/** How long a follower sleeps when there is nothing new. Milliseconds. */
const POLL_MS = 250;

const matches =
	({ source, stream, types }: EventFilter) =>
	(event: StoredEvent): boolean =>
		(source === undefined || event.metadata.source === source) &&
		(stream === undefined || event.stream === stream) &&
		(types === undefined || types.includes(event.type));

/** In global order; a cursor is a position. `until` (ISO 8601): what was so then. */
export async function eventPage(
	events: Events,
	filter: EventFilter,
	{ after, first }: PageRequest,
	until?: string,
): Promise<Page<StoredEvent>> {
	const from = numberedCursor(after, Number.MAX_SAFE_INTEGER) ?? 0;
	const wanted = matches(filter);
	const found: StoredEvent[] = [];
	let position = from;
	let more = false;
	for (let scanned = 0; ; ) {
		// A stream is read by itself: it may be short, and lie anywhere.
		const page = filter.stream === undefined ? await events.readAll(position, SCAN) : await events.read(filter.stream);
		const fresh = page.filter((event) => event.position > position && (until === undefined || event.time <= until));
		for (const event of fresh) {
			if (!wanted(event)) continue;
			if (found.length === first) {
				more = true;
				break;
			}
			found.push(event);
			position = event.position;
		}
		if (more || filter.stream !== undefined || page.length < SCAN || fresh.length < page.length) break;
		position = page.at(-1)?.position ?? position;
		scanned += page.length;
		if (scanned >= MOST_SCANNED) {
			more = true;
			break;
		}
	}
	const items = found.map((item) => ({ cursor: String(item.position), item }));
	return { items, more, ...(more && { end: String(position) }) };
}

/** The position of the newest event, 0 where there is none. */
export async function lastPosition(events: Pick<EventStore, "latest">): Promise<number> {
	return (await events.latest(1))[0]?.position ?? 0;
}

/**
 * Events as they are appended, after a position. Asks for a page when the reader wants more, so that a slow reader holds one page and no queue.
 * Ends when the signal says so. @throws what the store throws
 */
export async function* followEvents(
	events: Events,
	filter: EventFilter,
	after: number,
	signal: AbortSignal,
): AsyncGenerator<StoredEvent, void, void> {
	const wanted = matches(filter);
	for (let position = after; !signal.aborted; ) {
		const page = await events.readAll(position, SCAN);
		for (const event of page) {
			position = event.position;
			if (signal.aborted) return;
			if (wanted(event)) yield event;
		}
		if (page.length === 0) await sleep(POLL_MS, undefined, { signal, ref: false }).catch(() => undefined);
	}
}
