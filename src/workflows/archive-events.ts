import { proxyActivities } from "@temporalio/workflow";
import type { MaintenanceActivities } from "../activities/activity-types.js";
import { LONG_STORE_WRITE } from "./retry-profiles.js";

const archive = proxyActivities<Pick<MaintenanceActivities, "archiveEvents">>(LONG_STORE_WRITE);

/** Copies what happened since the last time into the archive. How far it came lies in the event store, so a repeat goes on from there. */
export async function archiveEvents(): Promise<{ events: number; through: number }> {
	return archive.archiveEvents();
}
