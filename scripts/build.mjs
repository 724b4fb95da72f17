// Compiles to dist/ (nest build, SWC) and bundles the workflows. Runs after `npm ci` by itself.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
	console.error(
		`Lode needs Node 24 or later; this is ${process.version}.\n` +
			"`npm ci` brings Node 24 along as a package: run it without --ignore-scripts, then use the npm scripts.",
	);
	process.exit(1);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const nest = fileURLToPath(new URL("../node_modules/@nestjs/cli/bin/nest.js", import.meta.url));
const { status } = spawnSync(process.execPath, [nest, "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
if (status !== 0) process.exit(status ?? 1);
const { bundleWorkflows } = await import("../dist/temporal/bundle/bundle-workflows.js");
await bundleWorkflows();
