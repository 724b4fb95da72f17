import type { Context } from "@temporalio/activity";
import {
	OpenTelemetryActivityInboundInterceptor,
	OpenTelemetryActivityOutboundInterceptor,
	OpenTelemetryWorkflowClientInterceptor,
} from "@temporalio/interceptors-opentelemetry";
import type { ActivityInterceptors } from "@temporalio/worker";
import { TRACE_HEADER } from "../../workflows/contracts/traces.js";

type Client = OpenTelemetryWorkflowClientInterceptor;
type Activity = OpenTelemetryActivityInboundInterceptor;

/** Questions are asked several times a second while somebody waits: they are no part of what happened. */
export class TraceClientInterceptor extends OpenTelemetryWorkflowClientInterceptor {
	override query(...[input, next]: Parameters<Client["query"]>): ReturnType<Client["query"]> {
		return next(input);
	}

	override describe(...[input, next]: Parameters<Client["describe"]>): ReturnType<Client["describe"]> {
		return next(input);
	}
}

/** What belongs to no trace does not become one of its own for every activity. */
class TraceActivityInterceptor extends OpenTelemetryActivityInboundInterceptor {
	override execute(...[input, next]: Parameters<Activity["execute"]>): ReturnType<Activity["execute"]> {
		return input.headers[TRACE_HEADER] === undefined ? next(input) : super.execute(input, next);
	}
}

export function createActivityInterceptor(context: Context): ActivityInterceptors {
	return {
		inbound: new TraceActivityInterceptor(context),
		outbound: new OpenTelemetryActivityOutboundInterceptor(context),
	};
}
