import { setTimeout as sleep } from "node:timers/promises";
import type { EventFilter, EventStore, StoredEvent } from "../../stores/events/events.port.js";
import { numberedCursor, type Page, type PageRequest, pageOf } from "./page.js";

const SCAN = 500;
/** How long a follower sleeps when there is nothing new. Milliseconds. */
const POLL_MS = 250;

const matches =
	({ source, stream, types }: Omit<EventFilter, "sources">) =>
	(event: StoredEvent): boolean =>
		(source === undefined || event.metadata.source === source) &&
		(stream === undefined || event.stream === stream) &&
		(types === undefined || types.includes(event.type));

/** In global order; a cursor is a position. `until` (ISO 8601): what was so then. */
export async function eventPage(
	events: Pick<EventStore, "readAll">,
	filter: EventFilter,
	{ after, first }: PageRequest,
	until?: string,
): Promise<Page<StoredEvent>> {
	const from = numberedCursor(after, Number.MAX_SAFE_INTEGER) ?? 0;
	const found = await events.readAll(from, first + 1, filter);
	const later = until === undefined ? -1 : found.findIndex(({ time }) => time > until);
	return pageOf(later < 0 ? found : found.slice(0, later), first, ({ position }) => String(position));
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
	events: Pick<EventStore, "readAll">,
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
