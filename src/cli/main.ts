#!/usr/bin/env node
import * as nodeModule from "node:module";

// Nothing else may be imported statically here: imports run before this check, and would fail on an old Node with no clear message.
const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 24) {
	process.stderr.write(
		`error USAGE: Lode needs Node 24 or later, this is ${process.versions.node}\n` +
			"next: Run it as `npm run -s lode -- …`: after `npm ci` that uses the Node 24 in node_modules. Or install Node 24 (https://nodejs.org).\n",
	);
	process.exit(2);
}
// Halves the start: compiled code is kept between runs. Does nothing where the folder is not writable.
nodeModule.enableCompileCache?.();
const { main } = await import("./entry.js");
await main();
