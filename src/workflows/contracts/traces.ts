/** W3C trace context, as headers of Temporal and receipts carry it. */
export interface Trace {
	readonly traceparent: string;
	readonly tracestate?: string;
}

/** The header of starts, signals, updates and activities that `@temporalio/interceptors-opentelemetry` reads and writes. */
export const TRACE_HEADER = "_tracer-data";

/** A workflow's whole run, told when it ended. Times in milliseconds since 1970. */
export interface WorkflowSpan {
	readonly name: string;
	readonly workflowId: string;
	readonly runId: string;
	readonly traceId: string;
	readonly spanId: string;
	readonly parentSpanId: string;
	readonly startedAt: number;
	readonly endedAt: number;
	/** What it failed with. */
	readonly failure?: string;
}

/** What workflows tell their worker; every worker has it. */
export interface TraceSinks {
	readonly [name: string]: { ended(span: WorkflowSpan): void };
	readonly traces: { ended(span: WorkflowSpan): void };
}
