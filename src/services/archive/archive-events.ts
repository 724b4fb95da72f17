import { canonicalJson, type Json } from "../../domain/digest.js";
import { LodeError } from "../../domain/errors.js";
import type { Snapshot } from "../../domain/snapshot.js";
import type { StoreTotals } from "../../stores/catalog/catalog.port.js";
import type { EventStore, StoredEvent } from "../../stores/events/events.port.js";
import { envelopeOf } from "../events/envelope.js";
import { type ChangeSetPorts, putChangeSet } from "./change-sets.js";
import type { RecordStore } from "./record-lines.js";
import { lastArchived, putSegment, segmentsOf } from "./segments.js";

export const ARCHIVE_CONSUMER = "archive";
const EVENTS_A_SEGMENT = 1_000;

export interface ArchivePorts extends ChangeSetPorts {
	readonly events: EventStore;
}

/**
 * Copies what happened since the last time into the archive: events as immutable segments, and before each segment the change sets of what
 * was published in it. Afterwards the archive alone can tell what the catalog holds. Any number of times, also by several workers at once.
 * @throws STORE_CORRUPT, CATALOG_BEHIND
 */
export async function archiveEvents(
	ports: ArchivePorts,
	progress: () => void = () => undefined,
): Promise<{ events: number; through: number }> {
	const { events, artifacts, catalog } = ports;
	const archived = await requireLineage(events, artifacts);
	// Less than the checkpoint where the archive was lost: then it is written anew.
	let position = Math.min(archived, await events.checkpoint(ARCHIVE_CONSUMER));
	let count = 0;
	for (;;) {
		const page = await events.readAll(position, EVENTS_A_SEGMENT);
		const last = page.at(-1);
		if (!last) return { events: count, through: position };
		for (const event of page) {
			if (event.type !== "IngestionPublished") continue;
			// A source that was dropped has no content, and its removal is among the events.
			const ingestion = await catalog.ingestion(event.metadata.correlationId);
			if (ingestion) await putChangeSet(ports, ingestion, publishedOf(event), progress);
		}
		for (const segment of segmentsOf(page)) await putSegment(artifacts, segment);
		await events.moveCheckpoint(ARCHIVE_CONSUMER, last.position);
		position = last.position;
		count += page.length;
		progress();
	}
}

const publishedOf = ({ data }: StoredEvent) =>
	data as unknown as { snapshot: Snapshot; added: StoreTotals; retired: StoreTotals };

/**
 * Refuses a catalog that is not the one whose events were archived: an empty one, or an older copy. Going on with it would give numbers away
 * for a second time. Returns the position of the last archived event; 0 where there is none. @throws CATALOG_BEHIND
 */
export async function requireLineage(events: EventStore, artifacts: RecordStore): Promise<number> {
	const archived = await lastArchived(artifacts);
	if (!archived) return 0;
	const [here] = await events.readAll(archived.position - 1, 1);
	if (here && text(here) === text(archived)) return archived.position;
	throw new LodeError(
		"CATALOG_BEHIND",
		`the archive holds events up to ${archived.position} (${archived.time}) that this catalog does not have`,
		{ next: "Stop Lode, then: lode rebuild" },
	);
}

const text = (event: StoredEvent): string => canonicalJson(envelopeOf(event) as unknown as Json);
