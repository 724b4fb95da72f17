// A process that holds a runtime until it is told to end: `node runtime-owner.mjs`, configured by the environment.
// Prints {"runtime": …} when it has one; ends its use on SIGINT. Real Temporal, stand-in worker.

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "@swc/core";

// As supervised-worker.mjs, but with parameter properties, which stripping alone cannot do.
registerHooks({
	resolve: (specifier, context, next) =>
		context.parentURL?.endsWith(".ts") && specifier.startsWith(".")
			? next(specifier.replace(/\.js$/, ".ts"), context)
			: next(specifier, context),
	load: (url, context, next) => {
		if (!url.endsWith(".ts")) return next(url, context);
		const jsc = { parser: { syntax: "typescript" }, target: "es2023" };
		const { code } = transformSync(readFileSync(fileURLToPath(url), "utf8"), { jsc, module: { type: "es6" } });
		return { format: "module", source: code, shortCircuit: true };
	},
});
const { loadConfig } = await import("../../src/config/config.ts");
const { withRuntime } = await import("../../src/runtime/runtime.ts");

const interrupt = new AbortController();
process.on("SIGINT", () => interrupt.abort());
const workerEntry = fileURLToPath(new URL("./supervised-worker.mjs", import.meta.url));
await withRuntime(
	loadConfig().config,
	(line) => console.error(line),
	async (runtime) => {
		console.log(JSON.stringify({ runtime }));
		const alive = setInterval(() => undefined, 1_000);
		await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
		clearInterval(alive);
	},
	{ workerEntry, owner: process.env.OWNER ?? "ingest" },
);
console.log(JSON.stringify({ ended: true }));
