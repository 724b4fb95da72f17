import { isSpanContextValid, trace } from "@opentelemetry/api";
import pino from "pino";
import type { Config } from "../../config/config.js";
import { scrub } from "./scrub.js";

/** One line of a log, as an object: with a level, a message and whatever else there is to say. */
export type Log = (line: Readonly<Record<string, unknown>>) => void;

/** Fields that are never written, by name, wherever they stand in the first levels of a line. */
const SECRET_FIELDS = [
	"authorization",
	"cookie",
	"set-cookie",
	"x-lode-secret",
	"x-gitlab-token",
	"x-api-key",
	"password",
	"secret",
	"token",
	"apiKey",
	"secretAccessKey",
];
const PATHS = SECRET_FIELDS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];
const levelOf = (value: unknown): Level =>
	LEVELS.find((level) => level === String(value).toLowerCase()) ?? (value === "TRACE" ? "debug" : "info");

/** The log of a process: one line an entry, on standard error unless `write` is given. Nothing that looks like a secret gets into it. */
export function createLog({ level, format }: Config["log"], write: (line: string) => void = toStandardError): Log {
	const form = format === "text" ? asText : (line: string) => line;
	const logger = pino(
		{
			level,
			base: null,
			messageKey: "message",
			timestamp: () => `,"time":"${new Date().toISOString()}"`,
			formatters: { level: (label) => ({ level: label }) },
			redact: { paths: PATHS, censor: "[secret]" },
			mixin: activeTrace,
		},
		{ write: (line: string) => write(`${scrub(form(line.trimEnd()))}\n`) },
	);
	return ({ level: wanted, message, time: _, ...more }) => logger[levelOf(wanted)](more, String(message ?? ""));
}

function toStandardError(line: string): void {
	process.stderr.write(line);
}

function activeTrace(): object {
	const span = trace.getActiveSpan()?.spanContext();
	return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** `time LEVEL message key=value …`, for people. */
function asText(line: string): string {
	const { time, level, message, ...more } = JSON.parse(line) as Record<string, unknown>;
	const fields = Object.entries(more).map(
		([key, value]) => `${key}=${typeof value === "string" && !/\s/.test(value) ? value : JSON.stringify(value)}`,
	);
	return [time, String(level).toUpperCase().padEnd(5), String(message).replace(/\s+/g, " "), ...fields].join(" ");
}
