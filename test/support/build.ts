import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

/** Tiers that run dist/: the built command line, the worker, mining threads. */
const RUN_BUILT = ["integration", "e2e", "crash"];

/** Vitest's global set-up: tests that run processes run what the source says now. `LODE_TEST_NO_BUILD=1` leaves dist/ as it is. */
export default function build({ vitest }: TestProject): void {
	if (process.env.LODE_TEST_NO_BUILD === "1") return;
	if (!vitest.projects.some(({ name }) => RUN_BUILT.includes(name))) return;
	const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
	const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
	if (status !== 0) throw new Error("the build failed");
}
