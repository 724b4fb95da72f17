import type { TestProject } from "vitest/node";
import { findTemporal, type TemporalSettings } from "../../temporal/server/find.js";

/** Where tests look for the server: as a user's machine does, with `LODE_CACHE_DIR` and never with `TEMPORAL_ADDRESS`. */
export const TEST_TEMPORAL: TemporalSettings = { temporal: {}, cacheDir: process.env.LODE_CACHE_DIR };

const RUN_TEMPORAL = ["workflow", "integration", "e2e", "crash"];

/** The path of the Temporal server binary; fetched or built where the machine has none. @throws TEMPORAL_NOT_INSTALLED */
export async function temporalBinary(report: (line: string) => void): Promise<string> {
	const found = await findTemporal(TEST_TEMPORAL, report);
	if (found.kind !== "binary") throw new Error("tests start their own Temporal server");
	return found.path;
}

/** Vitest's global set-up: the minutes that a first build of the server takes count for no test's time-out and are spent once. */
export default async function prepare({ vitest }: TestProject): Promise<void> {
	if (!vitest.projects.some(({ name }) => RUN_TEMPORAL.includes(name))) return;
	await temporalBinary((line) => console.log(line));
}
