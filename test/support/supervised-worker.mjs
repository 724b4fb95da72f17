// Stands in for worker.ts where a test is about supervision only: the real protocol with the parent, no Temporal.
// Writes what happens to it into the file $JOURNAL, a line each: `<pid> <what>`.
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

// Node strips the types itself; only the ending of imports has to be put right.
registerHooks({
	resolve: (specifier, context, next) =>
		context.parentURL?.endsWith(".ts") && specifier.startsWith(".")
			? next(specifier.replace(/\.js$/, ".ts"), context)
			: next(specifier, context),
});
const { followParent } = await import("../../src/runtime/parent.ts");

const note = (line) => appendFileSync(process.env.JOURNAL, `${process.pid} ${line}\n`);

followParent({ home: process.env.LODE_HOME, shutdown: async () => note("shutdown") });
note(`start ${process.env.TEMPORAL_ADDRESS ?? ""}`);
if (process.env.CRASH === "yes") {
	console.error("the worker has no luck");
	process.exit(7);
}
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
setInterval(() => undefined, 1_000);
