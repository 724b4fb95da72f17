import type { Attributes, AttributeValue } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import { scrub } from "../log/scrub.js";

/** Takes secrets out of spans before they leave: others write into them too, errors above all. */
export function scrubbingExporter(exporter: SpanExporter): SpanExporter {
	return {
		export: (spans, done) => exporter.export(spans.map(scrubbed), done),
		shutdown: () => exporter.shutdown(),
		forceFlush: async () => exporter.forceFlush?.(),
	};
}

function scrubbed(span: ReadableSpan): ReadableSpan {
	const { status, attributes, events } = span;
	const clean: Partial<Record<keyof ReadableSpan, unknown>> = {
		name: scrub(span.name),
		status: status.message === undefined ? status : { ...status, message: scrub(status.message) },
		attributes: scrubbedAttributes(attributes),
		events: events.map((event) => ({ ...event, attributes: event.attributes && scrubbedAttributes(event.attributes) })),
	};
	// Its other properties are those of the span.
	return Object.create(
		span,
		Object.fromEntries(Object.entries(clean).map(([name, value]) => [name, { value, enumerable: true }])),
	) as ReadableSpan;
}

function scrubbedAttributes(attributes: Attributes): Attributes {
	return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, scrubbedValue(value)]));
}

function scrubbedValue(value: AttributeValue | undefined): AttributeValue | undefined {
	if (typeof value === "string") return scrub(value);
	if (!Array.isArray(value)) return value;
	return value.map((one) => (typeof one === "string" ? scrub(one) : one)) as AttributeValue;
}
