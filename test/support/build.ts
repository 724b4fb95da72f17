import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Vitest's global set-up: tests that run processes run what the source says now. */
export default function build(): void {
	if (process.env.LODE_TEST_NO_BUILD === "1") return;
	const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
	const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
	if (status !== 0) throw new Error("the build failed");
}
