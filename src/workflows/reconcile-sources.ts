import { proxyActivities, setCurrentDetails } from "@temporalio/workflow";
import type { MaintenanceActivities } from "../activities/activity-types.js";
import { STORE_WRITE } from "./retry-profiles.js";

const { listSources, hintSource } =
	proxyActivities<Pick<MaintenanceActivities, "listSources" | "hintSource">>(STORE_WRITE);

/** Has every source's workflow look at its branch. What it finds it ingests in its own order. */
export async function reconcileSources(): Promise<number> {
	const sources = await listSources();
	for (const [at, source] of sources.entries()) {
		setCurrentDetails(`${at} of ${sources.length} sources were told`);
		await hintSource(source);
	}
	return sources.length;
}
