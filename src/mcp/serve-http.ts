import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { LodeError } from "../domain/errors.js";
import type { LodeReader } from "../services/lode.js";
import { createMcpServer } from "./create-server.js";
import type { Report } from "./errors.js";

/** Nobody is asked who they are, so nobody but this machine may ask. */
const HOST = "127.0.0.1";
const PATH = "/mcp";
/** No call of a tool is nearly as long. Bytes. */
const MAX_BODY = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 200;

export interface HttpOptions {
	readonly reader: LodeReader;
	readonly version: string;
	readonly report: Report;
	/** 0: any free one. */
	readonly port: number;
}

export interface McpHttp {
	readonly url: string;
	close(): Promise<void>;
}

/**
 * Streamable HTTP on this machine. A web page can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding) or from another
 * origin: what names another host, or comes from one, is refused before it is read. No session is kept: each request stands for itself.
 * @throws USAGE when the port is taken
 */
export async function serveMcpHttp({ reader, version, report, port }: HttpOptions): Promise<McpHttp> {
	const onerror = (error: Error) => report(`MCP: ${error.message}`);
	const handler = createMcpHandler(() => createMcpServer(reader, version, report), {
		maxRequestBodySize: MAX_BODY,
		onerror,
	});
	const handle = toNodeHandler(handler, { maxRequestBodySize: MAX_BODY, onerror });
	const isOwnHost = localhostHostValidation();
	const isOwnOrigin = localhostOriginValidation();
	const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
		response.setHeader("x-content-type-options", "nosniff");
		response.setHeader("cache-control", "no-store");
		if (!isOwnHost(request, response) || !isOwnOrigin(request, response)) return;
		if (request.url?.split("?", 1)[0] !== PATH) {
			response.writeHead(404, { "content-type": "text/plain" }).end(`MCP is at ${PATH}\n`);
			return;
		}
		void handle(request, response);
	});
	server.maxConnections = MAX_CONNECTIONS;
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause: NodeJS.ErrnoException) => {
			reject(
				new LodeError("USAGE", `port ${port} of ${HOST} cannot be used: ${cause.code}`, {
					next: "Choose another one with --port, or stop what uses it.",
					cause,
				}),
			);
		});
		server.listen(port, HOST, resolve);
	});
	return {
		url: `http://${HOST}:${(server.address() as AddressInfo).port}${PATH}`,
		async close() {
			await handler.close();
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			server.closeAllConnections();
			await closed;
		},
	};
}
