import type { Config } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import { runningRuntime } from "../runtime/runtime.js";
import { type RebuildOptions, rebuild } from "../services/rebuild/rebuild.js";
import type { RebuildReport } from "../services/reports.js";
import { openStores } from "./stores.js";

/** @throws SOURCE_BUSY while Lode runs on this home */
export async function rebuildStores(config: Config, options: RebuildOptions): Promise<RebuildReport> {
	const running = await runningRuntime(config.home);
	if (running !== undefined) {
		throw new LodeError("SOURCE_BUSY", `process ${running.pid} runs Lode on this home`, {
			next: `Stop it first: kill ${running.pid}`,
		});
	}
	const stores = await openStores(config);
	try {
		return await rebuild(stores.value, options);
	} finally {
		await stores.close();
	}
}
