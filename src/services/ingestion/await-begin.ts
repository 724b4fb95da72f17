import { setTimeout as sleep } from "node:timers/promises";
import type { Catalog, Ingestion } from "../../stores/catalog/catalog.port.js";

/** Accepted work begins within milliseconds, unless it waits for its turn or for a worker. */
const WITHIN_MS = 2_000;
const POLL_MS = 25;

type Ingestions = Pick<Catalog, "ingestions">;

/** Runs `accept` and returns the ingestion of the commit that began after it; undefined when none begins soon. */
export async function awaitBegin(
	catalog: Ingestions,
	source: string,
	commit: string,
	accept: () => Promise<unknown>,
): Promise<Ingestion | undefined> {
	const latest = async () => (await catalog.ingestions({ source, commit, limit: 1 }))[0];
	const before = (await latest())?.seq ?? 0;
	await accept();
	for (let waited = 0; waited < WITHIN_MS; waited += POLL_MS) {
		const ingestion = await latest();
		if (ingestion !== undefined && ingestion.seq > before) return ingestion;
		await sleep(POLL_MS);
	}
	return undefined;
}
