import {
	type CallToolResult,
	ProtocolError,
	ProtocolErrorCode,
	ResourceNotFoundError,
} from "@modelcontextprotocol/server";
import { redact } from "../config/secret.js";
import { errorCode } from "../domain/errors.js";

/** Takes a line for whoever runs the server; standard output belongs to the protocol. */
export type Report = (line: string) => void;

interface Described {
	readonly code: string;
	readonly message: string;
	readonly next?: string;
}

/** What is not an error of Lode's own says nothing of itself to the client: it may hold anything. */
function describe(error: unknown, report: Report): Described {
	const code = errorCode(error);
	if (code === undefined || code === "INTERNAL") {
		report(redact(error instanceof Error ? (error.stack ?? error.message) : String(error)));
		return {
			code: "INTERNAL",
			message: "Something in Lode failed. What it printed on standard error has the details.",
		};
	}
	const { message, next } = error as { message: string; next?: string };
	return { code, message: redact(message), ...(next !== undefined && { next: redact(next) }) };
}

/** For the model as text, for programs as `_meta["lode/error"]`: an error has no object of the tool's output schema. */
export function toolError(error: unknown, report: Report): CallToolResult {
	const described = describe(error, report);
	const { code, message, next } = described;
	const text = `error ${code}: ${message}${next === undefined ? "" : `\nnext: ${next}`}`;
	return { isError: true, content: [{ type: "text", text }], _meta: { "lode/error": described } };
}

/** The error of a resource that cannot be read, in the protocol's own form. */
export function resourceError(error: unknown, uri: string, report: Report): Error {
	const described = describe(error, report);
	const { code, message } = described;
	if (code.endsWith("_NOT_FOUND")) return new ResourceNotFoundError(uri, `${code}: ${message}`);
	const kind = code === "USAGE" ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
	return new ProtocolError(kind, `${code}: ${message}`, described);
}
