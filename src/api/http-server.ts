import "reflect-metadata";
import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import helmet from "@fastify/helmet";
import type { DynamicModule } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../observability/log/create-log.js";
import { countConnections, measureRequests } from "../observability/metrics/http-metrics.js";
import type { Metrics } from "../observability/metrics/metrics.js";
import { sendProblem } from "./errors/answer-failure.js";
import { ProblemFilter } from "./errors/problem.filter.js";

export type { Log };

export interface HttpServerOptions {
	readonly module: DynamicModule;
	readonly host: string;
	/** 0: any free one. */
	readonly port: number;
	readonly bodyLimit: number;
	/** Headers that protect browsers; default true. Programs do not read them. */
	readonly forBrowsers?: boolean;
	readonly log: Log;
	readonly metrics?: Metrics;
	/** Before it listens. */
	readonly configure?: (app: NestFastifyApplication, fastify: FastifyInstance) => Promise<void> | void;
	/** When it listens; what it returns is called first when it ends. */
	readonly listening?: (app: NestFastifyApplication, server: Server) => () => Promise<void>;
}

export interface HttpServer {
	readonly url: string;
	/** Takes no request any more, answers those that run, and stops. */
	close(): Promise<void>;
}

/** A client that sends its request slower than this is cut off. Milliseconds. */
const REQUEST_TIMEOUT = 30_000;
/** After that long, requests that are still running are cut off. Milliseconds. */
const DRAIN_MS = 10_000;
const IDLE_CHECK_MS = 50;

/** NestJS on Fastify as all of Lode's servers have it: problem details for errors, security headers, bounds, an end in order. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
	const adapter = new FastifyAdapter({
		bodyLimit: options.bodyLimit,
		requestTimeout: REQUEST_TIMEOUT,
		routerOptions: { maxParamLength: 500 },
		return503OnClosing: true,
		// Nothing that is a request yet: Node itself refuses it.
		clientErrorHandler: refuseUnread,
		// Before any route, so that no filter sees it: a path that is no path.
		frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
			const { message: detail } = error;
			void sendProblem(reply, { type: "about:blank", title: "Bad request", status: 400, detail, code: "USAGE" });
		},
	});
	const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
		logger: false,
		abortOnError: false,
		// Routes say themselves what they read.
		bodyParser: false,
	});
	app.useGlobalFilters(new ProblemFilter(options.log));
	if (options.metrics) measureRequests(adapter.getInstance(), options.metrics);
	if (options.forBrowsers ?? true) await app.register(helmet);
	await options.configure?.(app, adapter.getInstance());
	try {
		await app.listen(options.port, options.host);
	} catch (error) {
		await app.close();
		throw error;
	}
	if (options.metrics) countConnections(adapter.getHttpServer() as Server, options.metrics);
	const closing = options.listening?.(app, adapter.getHttpServer() as Server);
	return {
		url: (await app.getUrl()).replace(/\/$/, ""),
		async close() {
			const server = adapter.getHttpServer();
			const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
			// Clients keep connections for their next request: as soon as one has its answer, it goes.
			const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
			await closing?.();
			await app.close();
			clearInterval(idle);
			clearTimeout(late);
		},
	};
}

const UNREAD: Readonly<Record<string, readonly [status: number, title: string]>> = {
	HPE_HEADER_OVERFLOW: [431, "Request header fields too large"],
	ERR_HTTP_REQUEST_TIMEOUT: [408, "Request timeout"],
};

/** Answers what cannot be read as a request with problem details too, then closes the connection. */
function refuseUnread(error: Error & { readonly code?: string }, socket: Duplex): void {
	if (error.code === "ECONNRESET" || !socket.writable) {
		socket.destroy();
		return;
	}
	const [status, title] = UNREAD[error.code ?? ""] ?? [400, "Bad request"];
	const body = JSON.stringify({
		type: "about:blank",
		title,
		status,
		detail: "This is no request that can be read.",
		code: "USAGE",
	});
	const head = [
		`HTTP/1.1 ${status} ${title}`,
		"content-type: application/problem+json; charset=utf-8",
		`content-length: ${Buffer.byteLength(body)}`,
		"connection: close",
	];
	socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
