import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import "../support/run-from-source.mjs";

/** `npm run servers:install | servers:up | servers:down | servers:status`. Erasable types only. */
const built = fileURLToPath(new URL("../../dist/temporal/server/find.js", import.meta.url));
if (!existsSync(built)) {
	const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
	const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
	if (status !== 0) process.exit(status ?? 1);
}
const { main } = await import("./command.js");
process.exitCode = await main(process.argv.slice(2));
