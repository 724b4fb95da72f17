import type { JsonObject } from "../../domain/digest.js";
import type { StoredEvent } from "../../stores/events/events.port.js";

/** An event as everything outside of the event store sees it: the CLI, the API, and the archive. */
export interface EventEnvelope {
	readonly event_id: string;
	readonly event_type: string;
	readonly stream_id: string;
	/** 1, 2, 3 … in its stream, without gaps. */
	readonly version: number;
	/** Of the whole installation: increases. */
	readonly sequence_number: number;
	/** ISO 8601, UTC. */
	readonly timestamp: string;
	/** The source that it is about; null where it is about none. */
	readonly source: string | null;
	readonly data: JsonObject;
	readonly metadata: { readonly idempotency_key: string };
	readonly correlation_id: string;
	readonly causation_id: string | null;
}

export function envelopeOf(event: StoredEvent): EventEnvelope {
	const { correlationId, causationId = null, idempotencyKey, source = null } = event.metadata;
	return {
		event_id: event.id,
		event_type: event.type,
		stream_id: event.stream,
		version: event.version,
		sequence_number: event.position,
		timestamp: event.time,
		source,
		data: event.data,
		metadata: { idempotency_key: idempotencyKey },
		correlation_id: correlationId,
		causation_id: causationId,
	};
}

/** The reverse. */
export function eventOf(envelope: EventEnvelope): StoredEvent {
	return {
		id: envelope.event_id,
		type: envelope.event_type,
		stream: envelope.stream_id,
		version: envelope.version,
		position: envelope.sequence_number,
		time: envelope.timestamp,
		data: envelope.data,
		metadata: {
			correlationId: envelope.correlation_id,
			...(envelope.causation_id !== null && { causationId: envelope.causation_id }),
			idempotencyKey: envelope.metadata.idempotency_key,
			...(envelope.source !== null && { source: envelope.source }),
		},
	};
}
