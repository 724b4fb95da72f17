import type { Setting } from "./setting.js";
import { httpUrl, integer, object, oneOf, secret, text } from "./setting-values.js";

/** What is told about a running Lode. Traces go by the names that every OpenTelemetry program uses. */
export const OBSERVABILITY_SETTINGS: readonly Setting[] = [
	{ name: "LODE_LOG_FORMAT", key: "log.format", describe: "json or text: how the API, the gateway and the worker log" },
	{ name: "LODE_METRICS_HOST", key: "metrics.host", describe: "address that the next two ports are on" },
	{
		name: "LODE_METRICS_WORKER_PORT",
		key: "metrics.workerPort",
		describe: "port that a worker serves /metrics on; 0: any free one",
	},
	{
		name: "LODE_METRICS_GATEWAY_PORT",
		key: "metrics.gatewayPort",
		describe: "port that the webhook gateway serves /metrics on; 0: any free one",
	},
	{
		name: "OTEL_EXPORTER_OTLP_ENDPOINT",
		key: "traces.endpoint",
		describe: "OTLP/HTTP endpoint that traces are sent to; none are made where unset",
	},
	{
		name: "OTEL_EXPORTER_OTLP_HEADERS",
		key: "traces.headers",
		describe: "name=value,… headers for that endpoint",
		secret: true,
	},
];

export const logShape = {
	level: oneOf(["debug", "info", "warn", "error"]).default("info"),
	format: oneOf(["json", "text"]).default("json"),
};

export const observabilityShape = {
	metrics: object({
		host: text.default("127.0.0.1"),
		workerPort: integer(0, 65_535).optional(),
		gatewayPort: integer(0, 65_535).optional(),
	}).prefault({}),
	traces: object({
		endpoint: httpUrl("OTEL_EXPORTER_OTLP_HEADERS").optional(),
		headers: secret.optional(),
	}).prefault({}),
};
