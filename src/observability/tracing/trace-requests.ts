import { context, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { contextOf, tracer } from "./spans.js";
import { isTracing } from "./start-tracing.js";

const UNTRACED = /^\/(?:health|metrics)(?:\/|$)/;

/** Every request that came past the guards is a span; one that names a `traceparent` goes on with that trace. */
export function traceRequests(fastify: FastifyInstance): void {
	if (!isTracing()) return;
	const spans = new WeakMap<FastifyRequest, Span>();
	fastify.addHook("preHandler", (request, _reply, done) => {
		const route = request.routeOptions.url ?? "";
		if (UNTRACED.test(route)) return done();
		const { traceparent } = request.headers;
		const from = contextOf(typeof traceparent === "string" ? traceparent : undefined);
		const attributes = { "http.request.method": request.method, "http.route": route };
		const span = tracer().startSpan(`${request.method} ${route}`, { kind: SpanKind.SERVER, attributes }, from);
		spans.set(request, span);
		context.with(trace.setSpan(from, span), done);
	});
	fastify.addHook("onResponse", async (request, reply) => {
		const span = spans.get(request);
		span?.setAttribute("http.response.status_code", reply.statusCode);
		if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
		span?.end();
	});
}
