import {
	type Context,
	context,
	type Link,
	propagation,
	ROOT_CONTEXT,
	SpanKind,
	SpanStatusCode,
	trace,
} from "@opentelemetry/api";
import { errorCode } from "../../domain/errors.js";
import { scrub } from "../log/scrub.js";

export interface SpanOptions {
	/** The `traceparent` that it goes on from, as it came; what is none is left aside. Otherwise what runs now is its parent. */
	readonly parent?: string | undefined;
	/** Others that it has to do with. */
	readonly others?: readonly string[];
	/** A request of somebody else, or a step of our own. */
	readonly kind?: "server" | "internal";
	/** Never a secret; sources and commits may be named: traces go where whoever runs Lode wants them. */
	readonly attributes?: Readonly<Record<string, string | number>>;
}

const MOST_LINKS = 32;
const KINDS = { server: SpanKind.SERVER, internal: SpanKind.INTERNAL };

export const tracer = () => trace.getTracer("lode");

/** Runs `work` in a span of its own. Without a tracing process this is a call and no more. */
export function traced<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
	const { parent, others = [], kind = "internal", attributes = {} } = options;
	const links = others.slice(0, MOST_LINKS).flatMap((other): Link[] => {
		const linked = trace.getSpanContext(contextOf(other));
		return linked ? [{ context: linked }] : [];
	});
	const from = parent === undefined ? context.active() : contextOf(parent);
	return tracer().startActiveSpan(name, { kind: KINDS[kind], attributes, links }, from, async (span) => {
		try {
			return await work();
		} catch (error) {
			const { message = String(error) } = error as Partial<Error>;
			span.setStatus({ code: SpanStatusCode.ERROR, message: scrub(`${errorCode(error) ?? "INTERNAL"}: ${message}`) });
			throw error;
		} finally {
			span.end();
		}
	});
}

/** What to hand on so that others go on with what runs now. Undefined where nothing is traced. */
export function traceparent(): string | undefined {
	const carrier: { traceparent?: string } = {};
	propagation.inject(context.active(), carrier);
	return carrier.traceparent;
}

export function contextOf(parent: string | undefined): Context {
	return propagation.extract(ROOT_CONTEXT, { traceparent: parent });
}
