import { defaultPayloadConverter, type Headers } from "@temporalio/common";
import {
	ContinueAsNew,
	proxySinks,
	type WorkflowInboundCallsInterceptor,
	type WorkflowInterceptorsFactory,
	type WorkflowOutboundCallsInterceptor,
	workflowInfo,
} from "@temporalio/workflow";
import { TRACE_HEADER, type Trace, type TraceSinks } from "../contracts/traces.js";
import { currentTrace, inTrace } from "./current-trace.js";

/** For ever there: what it does belongs to the traces of the hints and requests that it gets, see follow-source.ts. */
const ENDLESS = new Set(["followSource"]);
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

function traceOf(headers: Headers): Trace | undefined {
	const payload = headers[TRACE_HEADER];
	if (payload === undefined) return undefined;
	const trace = defaultPayloadConverter.fromPayload<Partial<Trace> | undefined>(payload);
	return TRACEPARENT.test(trace?.traceparent ?? "") ? (trace as Trace) : undefined;
}

function withTrace<T extends { readonly headers: Headers }>(input: T): T {
	const trace = currentTrace();
	if (trace === undefined) return input;
	return { ...input, headers: { ...input.headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(trace) } };
}

/**
 * Carries a trace through workflows, and tells of each one's run when it ended. Nothing here waits, makes a command or takes a random number: a
 * history replays the same with it and without, traced or not (docs/decisions/0026-traces-through-workflows.md).
 */
const inbound: WorkflowInboundCallsInterceptor = {
	execute(input, next) {
		const { workflowType, workflowId, runId, startTime } = workflowInfo();
		const [, traceId, parentSpanId] = TRACEPARENT.exec(traceOf(input.headers)?.traceparent ?? "") ?? [];
		if (traceId === undefined || parentSpanId === undefined || ENDLESS.has(workflowType)) {
			return inTrace(undefined, () => next(input));
		}
		// The same in every replay, and another one in every run.
		const spanId = runId.replaceAll("-", "").slice(-16);
		const flags = traceOf(input.headers)?.traceparent.slice(-2);
		const running = inTrace({ traceparent: `00-${traceId}-${spanId}-${flags}` }, () => next(input));
		const tell = (failure?: string) => {
			if (flags !== "01") return;
			proxySinks<TraceSinks>().traces.ended({
				name: `RunWorkflow:${workflowType}`,
				...{ workflowId, runId, traceId, spanId, parentSpanId },
				startedAt: startTime.getTime(),
				endedAt: Date.now(),
				...(failure !== undefined && { failure }),
			});
		};
		running.then(
			() => tell(),
			(error: unknown) => tell(error instanceof ContinueAsNew ? undefined : String(error)),
		);
		return running;
	},
	handleSignal: (input, next) => inTrace(traceOf(input.headers), () => next(input)),
	handleUpdate: (input, next) => inTrace(traceOf(input.headers), () => next(input)),
};

const outbound: WorkflowOutboundCallsInterceptor = {
	scheduleActivity: (input, next) => next(withTrace(input)),
	scheduleLocalActivity: (input, next) => next(withTrace(input)),
	startChildWorkflowExecution: (input, next) => next(withTrace(input)),
	signalWorkflow: (input, next) => next(withTrace(input)),
};

export const interceptors: WorkflowInterceptorsFactory = () => ({ inbound: [inbound], outbound: [outbound] });
