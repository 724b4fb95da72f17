import { canonicalJson, type Json } from "../../domain/digest.js";
import type { StoredEvent } from "../../stores/events/events.port.js";
import { type EventEnvelope, envelopeOf, eventOf } from "../events/envelope.js";
import { damaged, getLines, padded, putLines, type RecordStore } from "./record-lines.js";

const FORMAT = 1;
const PREFIX = "events/";

/** A record has a bound, and so has the memory of whoever reads it. Characters. */
const SEGMENT_CHARACTERS = 3 * 1024 * 1024;

/** Cuts events that follow each other into segments. */
export function segmentsOf(events: readonly StoredEvent[]): StoredEvent[][] {
	const segments: StoredEvent[][] = [];
	let characters = SEGMENT_CHARACTERS;
	for (const event of events) {
		if (characters >= SEGMENT_CHARACTERS) {
			segments.push([]);
			characters = 0;
		}
		segments.at(-1)?.push(event);
		characters += JSON.stringify(event).length;
	}
	return segments;
}

/** Events that follow each other, as one record named after the last of them. */
export async function putSegment(records: RecordStore, events: readonly StoredEvent[]): Promise<void> {
	const [first, last] = [events[0], events.at(-1)];
	if (!first || !last) return;
	const header = { format: FORMAT, after: first.position - 1, through: last.position };
	const lines = [header, ...events.map(envelopeOf)].map((line) => canonicalJson(line as unknown as Json));
	await putLines(records, `${PREFIX}${padded(last.position)}`, lines);
}

/** The last archived event. @throws STORE_CORRUPT */
export async function lastArchived(records: RecordStore): Promise<StoredEvent | undefined> {
	const key = (await records.recordKeys(PREFIX)).at(-1);
	return key === undefined ? undefined : (await readSegment(records, key)).at(-1);
}

/**
 * All archived events in order, each once: two archivers at work at the same time leave segments that overlap.
 * @throws STORE_CORRUPT where events are missing between two segments
 */
export async function* archivedEvents(records: RecordStore): AsyncGenerator<StoredEvent> {
	let position = 0;
	for (const key of await records.recordKeys(PREFIX)) {
		for (const event of await readSegment(records, key)) {
			if (event.position <= position) continue;
			if (event.position !== position + 1) throw damaged(key, `follows a gap: event ${position + 1} is not archived`);
			position = event.position;
			yield event;
		}
	}
}

async function readSegment(records: RecordStore, key: string): Promise<StoredEvent[]> {
	const [header, ...envelopes] = await getLines(records, key);
	const { format, through } = (header ?? {}) as { format?: number; through?: number };
	if (format !== FORMAT) throw damaged(key, `has the format ${format}, which this version of Lode does not know`);
	const events = envelopes.map((envelope) => eventOf(envelope as EventEnvelope));
	if (events.at(-1)?.position !== through) throw damaged(key, "does not end with the event that it is named after");
	return events;
}
