import type { ClientInterceptors } from "@temporalio/client";
import type { InjectedSinks, WorkerOptions } from "@temporalio/worker";
import type { Config } from "../../config/config.js";
import type { TraceSinks } from "../../workflows/contracts/traces.js";

/** A process that makes traces. */
export interface Tracing {
	/** For clients of Temporal. */
	readonly client: ClientInterceptors;
	/** For workers: spans of activities, and of workflows that ended. */
	readonly worker: Pick<WorkerOptions, "interceptors" | "sinks">;
	/** Sends what was not sent yet. Never throws. */
	flush(): Promise<void>;
	/** The same, for some seconds at most, and ends. */
	close(): Promise<void>;
}

let running: Tracing | undefined;

/** Starts to make traces, where an endpoint is configured: only then is anything of OpenTelemetry's SDK loaded. Once in a process. */
export async function startTracing({ traces }: Pick<Config, "traces">, service: string): Promise<Tracing | undefined> {
	if (traces.endpoint === undefined) return undefined;
	const { createTracing } = await import("./create-tracing.js");
	const created = createTracing({
		service,
		endpoint: traces.endpoint,
		headers: traces.headers?.reveal(),
	});
	running = {
		...created,
		async close() {
			running = undefined;
			await created.close();
		},
	};
	return running;
}

export const isTracing = (): boolean => running !== undefined;

/** What a Temporal client gets in this process. */
export function clientTracing(): { readonly interceptors?: ClientInterceptors } {
	return running ? { interceptors: running.client } : {};
}

/** Takes what workflows tell and nobody wants: they tell it where they were started traced. */
const UNHEARD: InjectedSinks<TraceSinks> = { traces: { ended: { fn: () => undefined } } };

/** What a worker gets in this process. */
export function workerTracing(): Pick<WorkerOptions, "interceptors" | "sinks"> {
	return running ? running.worker : { sinks: UNHEARD };
}
