import { propagation } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { Resource } from "@opentelemetry/resources";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { InjectedSinks } from "@temporalio/worker";
import type { TraceSinks } from "../../workflows/contracts/traces.js";
import { scrubbingExporter } from "./scrubbing-exporter.js";
import type { Tracing } from "./start-tracing.js";
import { createActivityInterceptor, TraceClientInterceptor } from "./temporal-interceptors.js";
import { workflowSpan } from "./workflow-span.js";

const SEND_MS = 5_000;

export interface TracingOptions {
	readonly service: string;
	/** As OTEL_EXPORTER_OTLP_ENDPOINT: without the path of traces. */
	readonly endpoint: string;
	/** As OTEL_EXPORTER_OTLP_HEADERS. */
	readonly headers?: string;
}

/** Registers a tracer for this process, whose spans go to an OTLP endpoint in batches. An endpoint that is away costs spans, nothing else. */
export function createTracing({ service, endpoint, headers }: TracingOptions): Tracing {
	const exporter = new OTLPTraceExporter({
		url: `${endpoint}/v1/traces`,
		headers: headersOf(headers),
		timeoutMillis: SEND_MS,
	});
	const resource = new Resource({ "service.name": service });
	const processor = new BatchSpanProcessor(scrubbingExporter(exporter), { exportTimeoutMillis: SEND_MS });
	const provider = new NodeTracerProvider({ resource, spanProcessors: [processor] });
	provider.register({ propagator: new W3CTraceContextPropagator() });
	const sinks: InjectedSinks<TraceSinks> = {
		traces: { ended: { fn: (_info, span) => processor.onEnd(workflowSpan(span, resource)) } },
	};
	const client = { workflow: [new TraceClientInterceptor()] };
	return {
		client,
		worker: { interceptors: { activity: [createActivityInterceptor], client }, sinks },
		flush: () => provider.forceFlush().catch(() => undefined),
		async close() {
			await provider.shutdown().catch(() => undefined);
			propagation.disable();
		},
	};
}

/** `name=value,name=value`, values percent-encoded, as the specification of that variable says. */
function headersOf(text: string | undefined): Record<string, string> {
	const pairs = (text ?? "").split(",").map((pair) => pair.split(/=(.*)/s));
	return Object.fromEntries(
		pairs.flatMap(([name, value]) => (name && value !== undefined ? [[name.trim(), decoded(value.trim())]] : [])),
	);
}

function decoded(value: string): string {
	try {
		return decodeURIComponent(value);
	} catch {
		return value;
	}
}
