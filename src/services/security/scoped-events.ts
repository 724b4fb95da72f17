import type { EventFilter, EventStore, StoredEvent } from "../../stores/events/events.port.js";
import { onlyThese } from "./only-these.js";

/**
 * The log as somebody sees it who may see these sources (`any`: all of them) and nothing of the installation itself: keys, audit, configuration,
 * searches over several sources.
 */
export function scopedEvents(events: EventStore, visible: ReadonlySet<string> | "any"): EventStore {
	const sources = visible === "any" ? "any" : [...visible];
	const sees = (source: string | undefined): boolean =>
		source !== undefined && (visible === "any" || visible.has(source));
	const narrowed = (filter: EventFilter = {}): EventFilter | undefined =>
		sources.length > 0 && (filter.source === undefined || sees(filter.source)) ? { ...filter, sources } : undefined;
	const asked = async (
		filter: EventFilter | undefined,
		ask: (filter: EventFilter) => Promise<StoredEvent[]>,
	): Promise<StoredEvent[]> => {
		const narrow = narrowed(filter);
		return narrow === undefined ? [] : ask(narrow);
	};
	return onlyThese<EventStore>("events", {
		async read(stream, fromVersion, limit) {
			const found = (await events.read(stream, fromVersion)).filter(({ metadata }) => sees(metadata.source));
			return limit === undefined ? found : found.slice(0, limit);
		},
		readAll: (position, limit, filter) => asked(filter, (narrow) => events.readAll(position, limit, narrow)),
		latest: (limit, filter) => asked(filter, (narrow) => events.latest(limit, narrow)),
		activity: async () => (await events.activity()).filter(({ source }) => sees(source)),
	});
}
