import {
	getExternalWorkflowHandle,
	log,
	proxyActivities,
	setCurrentDetails,
	upsertSearchAttributes,
} from "@temporalio/workflow";
import type { MaintenanceActivities } from "../activities/activity-types.js";
import { stopSignal } from "./contracts/follow-source.js";
import { followWorkflowId } from "./contracts/ids.js";
import type { CollectOutcome } from "./contracts/maintenance.js";
import { PURE, STORE_WRITE } from "./retry-profiles.js";

const maintenance = proxyActivities<MaintenanceActivities>(STORE_WRITE);
const reading = proxyActivities<Pick<MaintenanceActivities, "verifySnapshot">>(PURE);

/** Deletes what no retained snapshot can read, source by source, then bytes that nothing refers to. */
export async function collectGarbage(): Promise<CollectOutcome> {
	const records: Record<string, number> = {};
	const horizons: Record<string, number> = {};
	for (const source of await maintenance.listSources()) {
		setCurrentDetails(`collecting \`${source}\``);
		const collected = await maintenance.collectSource(source);
		if (collected.horizon !== null) horizons[source] = collected.horizon;
		for (const [store, count] of Object.entries(collected.records)) records[store] = (records[store] ?? 0) + count;
	}
	setCurrentDetails("collecting bytes that nothing refers to");
	const { objects, bytes } = await maintenance.collectObjects();
	return { records, horizons, objects, bytes };
}

/** Takes a source out of every reader's sight at once, waits for its ingestion to end, then deletes it everywhere. */
export async function removeSource(source: string): Promise<void> {
	upsertSearchAttributes({ LodeSource: [source] });
	await maintenance.markRemoved(source);
	try {
		await getExternalWorkflowHandle(followWorkflowId(source)).signal(stopSignal);
	} catch (error) {
		log.info("nobody follows the source", { source, reason: String(error) });
	}
	await maintenance.awaitIdle(source);
	await maintenance.dropSource(source);
}

/** The durable form of `lode verify`. */
export async function verifySnapshot(request: {
	source?: string;
	at?: string;
}): Promise<{ ok: boolean; snapshot: number; problems: number }> {
	return reading.verifySnapshot(request);
}
