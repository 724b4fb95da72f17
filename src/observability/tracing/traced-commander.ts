import type { LodeCommander } from "../../services/lode.js";
import { traced } from "./spans.js";
import type { Tracing } from "./start-tracing.js";

/** Every command is the root of a trace, or goes on with the one that TRACEPARENT names. The spans are sent before the process ends. */
export function tracedCommander(commander: LodeCommander, tracing: Tracing, parent?: string): LodeCommander {
	const span = <A extends unknown[], T>(name: string, run: (...args: A) => Promise<T>) => {
		return (...args: A) => traced(`lode ${name}`, { parent }, () => run(...args));
	};
	return {
		ingest: span("ingest", commander.ingest),
		retry: span("retry", commander.retry),
		cancel: span("cancel", commander.cancel),
		remove: span("remove", commander.remove),
		createGroup: span("group create", commander.createGroup),
		updateGroup: span("group update", commander.updateGroup),
		deleteGroup: span("group delete", commander.deleteGroup),
		collectGarbage: span("gc", commander.collectGarbage),
		async close() {
			await commander.close();
			await tracing.close();
		},
	};
}
