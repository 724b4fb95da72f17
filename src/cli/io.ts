import { redact } from "../config/secret.js";
import { ERROR_CODES, type ErrorCode, errorCode } from "../domain/errors.js";

interface Sink {
	write(text: string): unknown;
	readonly isTTY?: boolean | undefined;
	readonly columns?: number | undefined;
}

/** Where a command reads and writes: the process's own streams, or a test's. */
export interface CliIo {
	/** Where answers to questions come from; nobody is asked without it. */
	readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };
	readonly stdout: Sink;
	readonly stderr: Sink & NodeJS.WritableStream;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly cwd: string;
	/** Where SIGINT, SIGTERM and SIGHUP arrive. */
	readonly signals: {
		on(name: string, listener: () => void): unknown;
		off(name: string, listener: () => void): unknown;
	};
}

/**
 * Text that cannot steer the terminal: names and contents come from repositories, and an escape sequence in them could hide or fake
 * output. Line ends and tabs stay.
 */
export function printable(text: string): string {
	return text.replace(/\r\n?/g, "\n").replace(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** One line. Control characters above ASCII, which JSON leaves as they are, are escaped too. */
export function jsonLine(value: unknown): string {
	const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
	return `${JSON.stringify(value).replace(/[\u007f-\u009f]/g, escaped)}\n`;
}

export interface CliError {
	readonly code: ErrorCode;
	readonly message: string;
	readonly next?: string;
	/** What is wrong with single fields of an input. */
	readonly fields?: Readonly<Record<string, string>>;
}

/** What the user is told of anything thrown. Never holds a secret that this process knows. */
export function describeError(error: unknown): CliError {
	const code = errorCode(error) ?? systemCode(error) ?? "INTERNAL";
	const message = redact(error instanceof Error ? error.message : String(error));
	const given = typeof error === "object" && error !== null && "next" in error ? error.next : undefined;
	const next = typeof given === "string" ? redact(given) : defaultNext(code);
	const fields = typeof error === "object" && error !== null && "fields" in error ? error.fields : undefined;
	return {
		code,
		message,
		...(next !== undefined && { next }),
		...(fields !== undefined && { fields: fields as CliError["fields"] }),
	};
}

/** What the operating system says, where no adapter has said it better. */
function systemCode(error: unknown): ErrorCode | undefined {
	const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
	if (code === "ENOSPC" || code === "EDQUOT") return "DISK_FULL";
	if (code === "EACCES" || code === "EPERM" || code === "EROFS") return "PERMISSION_DENIED";
	return undefined;
}

function defaultNext(code: ErrorCode): string | undefined {
	if (code === "INTERNAL") return "Run it again with LODE_LOG_LEVEL=debug to see where it happened, and report it.";
	if (code === "DISK_FULL") return "Free some space, then run the same command again: nothing is lost.";
	if (code === "PERMISSION_DENIED") return "Give this user access, or set LODE_HOME to a folder that is writable.";
	if (code === "NOTHING_PUBLISHED") return "Ingest something first: lode ingest PATH_OR_URL";
	return ERROR_CODES[code].permanent ? undefined : "Try again in a moment; `lode doctor` shows what is missing.";
}

export function writeError(io: CliIo, error: unknown, json: boolean): number {
	const described = describeError(error);
	if (json) io.stderr.write(jsonLine({ error: described }));
	else {
		io.stderr.write(printable(`error ${described.code}: ${described.message}\n`));
		if (described.next !== undefined) io.stderr.write(printable(`next: ${described.next}\n`));
	}
	if (io.env.LODE_LOG_LEVEL === "debug" && error instanceof Error && error.stack !== undefined) {
		io.stderr.write(printable(redact(`${error.stack}\n`)));
	}
	return ERROR_CODES[described.code].exit;
}
