import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { millisToHrTime } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { WorkflowSpan } from "../../workflows/contracts/traces.js";

/** What a workflow told of its run, as a span that ended. */
export function workflowSpan(told: WorkflowSpan, resource: Resource): ReadableSpan {
	const { name, workflowId, runId, traceId, spanId, parentSpanId, startedAt, endedAt, failure } = told;
	return {
		name,
		kind: SpanKind.INTERNAL,
		spanContext: () => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
		parentSpanId,
		startTime: millisToHrTime(startedAt),
		endTime: millisToHrTime(endedAt),
		duration: millisToHrTime(endedAt - startedAt),
		status: failure === undefined ? { code: SpanStatusCode.OK } : { code: SpanStatusCode.ERROR, message: failure },
		attributes: { temporalWorkflowId: workflowId, run_id: runId },
		links: [],
		events: [],
		ended: true,
		resource,
		instrumentationLibrary: { name: "lode" },
		droppedAttributesCount: 0,
		droppedEventsCount: 0,
		droppedLinksCount: 0,
	};
}
