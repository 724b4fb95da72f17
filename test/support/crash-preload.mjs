// Loaded by `--import` into the processes of test/crash/driver, which are the built ones: the worker gets boundary-activities.mjs for its
// activities, and, where libfaketime is missing, Date follows the file $LODE_CRASH_CLOCK, which holds seconds.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

registerHooks({
	resolve(specifier, context, next) {
		const resolved = next(specifier, context);
		const isWorkers =
			context.parentURL?.endsWith("/dist/worker.js") && resolved.url.endsWith("/src/activities/activities.js");
		return isWorkers ? { ...resolved, url: new URL("./boundary-activities.mjs", import.meta.url).href } : resolved;
	},
});

const CLOCK = process.env.LODE_CRASH_CLOCK;
if (CLOCK !== undefined) {
	const Real = Date;
	let offset = 0;
	const look = () => {
		try {
			offset = Number(readFileSync(CLOCK, "utf8")) * 1_000 || 0;
		} catch {
			// It is being written.
		}
	};
	look();
	setInterval(look, 100).unref();
	const now = () => Real.now() + offset;
	globalThis.Date = new Proxy(Real, {
		construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now()] : given, made),
		get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
	});
}
