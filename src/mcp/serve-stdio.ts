import { Writable } from "node:stream";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import type { LodeReader } from "../services/lode.js";
import { createMcpServer } from "./create-server.js";
import type { Report } from "./errors.js";

export interface StdioOptions {
	readonly reader: LodeReader;
	readonly version: string;
	readonly report: Report;
	readonly stdin: NodeJS.ReadStream;
	/** Becomes the protocol's alone: whatever else writes to it afterwards lands on `stderr`. */
	readonly stdout: NodeJS.WriteStream;
	readonly stderr: NodeJS.WritableStream;
}

/** Speaks MCP on standard input and output until the client closes its end or `signal` is aborted. */
export async function serveMcpStdio(options: StdioOptions, signal: AbortSignal): Promise<void> {
	const { reader, version, report, stdin } = options;
	const transport = new StdioServerTransport(stdin, protocolOnly(options.stdout, options.stderr));
	const ended = new Promise<void>((resolve) => {
		stdin.once("end", resolve).once("close", resolve);
		if (signal.aborted) resolve();
		signal.addEventListener("abort", () => resolve(), { once: true });
	});
	const handle = serveStdio(() => createMcpServer(reader, version, report), {
		transport,
		onerror: (error) => report(`MCP: ${error.message}`),
	});
	await ended;
	await handle.close();
}

/** The way to standard output that nobody else has. One line of a library's there would break the protocol. */
function protocolOnly(stdout: NodeJS.WriteStream, stderr: NodeJS.WritableStream): Writable {
	const write = stdout.write.bind(stdout);
	stdout.write = ((chunk: string, ...rest: []) => stderr.write(chunk, ...rest)) as typeof stdout.write;
	return new Writable({
		write: (chunk: Buffer, _encoding, done) => void write(chunk, (error) => done(error)),
	});
}
