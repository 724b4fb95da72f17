import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import "../../support/run-from-source.mjs";

/** `npm run test:crash -- --help`. What is run is `dist/`, built here first. Erasable types only. */
const args = process.argv.slice(2);
if (!args.includes("--help") && process.env.LODE_TEST_NO_BUILD !== "1") {
	const script = fileURLToPath(new URL("../../../scripts/build.mjs", import.meta.url));
	const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
	if (status !== 0) process.exit(status ?? 1);
}
const { main } = await import("./command.js");
process.exit(await main(args));
