import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerifyReport } from "../../../src/services/reports.js";
import { DevProcess, lodeJson } from "../../support/lode-process.js";

/** The digests that these commits have where nothing goes wrong: each source at once, in a new home, on embedded stores. */
export async function undisturbed(
	heads: readonly { readonly path: string; readonly commit: string }[],
): Promise<VerifyReport["stores"]> {
	const home = await mkdtemp(join(tmpdir(), "lode-undisturbed-"));
	const dev = await DevProcess.start(home);
	try {
		for (const { path, commit } of heads) await lodeJson(home, ["ingest", path, "--ref", commit]);
		return (await lodeJson<VerifyReport>(home, ["verify"])).stores;
	} finally {
		await dev.stop();
		await rm(home, { recursive: true, force: true, maxRetries: 3 });
	}
}
