import type { Config } from "../config/config.js";
import { LodeError } from "../domain/errors.js";
import { runningRuntime } from "../runtime/runtime.js";
import { type RebuildOptions, rebuild } from "../services/rebuild/rebuild.js";
import type { RebuildReport } from "../services/reports.js";
import { auditAfterwards } from "./access.js";
import { openStores } from "./stores.js";

/** Audited. @throws SOURCE_BUSY while Lode runs on this home; else as rebuild */
export function rebuildStores(config: Config, options: RebuildOptions): Promise<RebuildReport> {
	return auditAfterwards(config)("rebuild", async (tell) => {
		const report = await rebuildHere(config, options);
		await tell("done", report.ok ? {} : { code: "VERIFICATION_FAILED" });
		return report;
	});
}

async function rebuildHere(config: Config, options: RebuildOptions): Promise<RebuildReport> {
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
