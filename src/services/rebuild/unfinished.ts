import { LodeError } from "../../domain/errors.js";
import type { EventStore } from "../../stores/events/events.port.js";

/** The name under which a restored catalog says that its rebuild has not ended. */
export const UNFINISHED = "rebuild";

export const isFinished = async (events: Pick<EventStore, "checkpoint">): Promise<boolean> =>
	(await events.checkpoint(UNFINISHED)) === 0;

/** Refuses stores that were left in the middle of a rebuild: readers would see a part of what was published. @throws CATALOG_BEHIND */
export async function requireFinished(events: Pick<EventStore, "checkpoint">): Promise<void> {
	if (await isFinished(events)) return;
	throw new LodeError("CATALOG_BEHIND", "a rebuild of this installation has not come to its end", {
		next: "lode rebuild --replace",
	});
}
