import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import "../support/run-from-source.mjs";

/** `npm run bench`. What is measured is `dist/`, built here first, also where a bench runs it in this process. Erasable types only. */
const args = process.argv.slice(2);
const measures = !args.some((arg) => arg === "--help" || arg === "-h" || arg === "--markdown");
if (measures && process.env.LODE_BENCH_NO_BUILD !== "1") {
	const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
	const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
	if (status !== 0) process.exit(status ?? 1);
}
const { main } = await import("./command.js");
process.exitCode = await main(args);
