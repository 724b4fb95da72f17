import { Context } from "@temporalio/activity";

/** Tells that the activity is alive. A local one has nobody to tell: Temporal would warn of each. */
export function heartbeat(done?: unknown): void {
	const context = Context.current();
	if (!context.info.isLocal) context.heartbeat(done);
}
