import type { ServerResponse } from "node:http";
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import { Admission, shownBy } from "../api/security/admission.js";
import { createRate } from "../api/security/rate.js";
import { redact } from "../config/secret.js";
import { errorCode, LodeError } from "../domain/errors.js";
import { countConnections, measureRequests } from "../observability/metrics/http-metrics.js";
import type { Metrics } from "../observability/metrics/metrics.js";
import type { ApiServices, OpenedServices } from "../services/lode.js";
import { mcpOperation } from "../services/security/operations.js";
import { forbidden } from "../services/security/principal.js";
import { createMcpServer } from "./create-server.js";
import type { Report } from "./errors.js";

/** Not beyond this machine, also where everybody has to say who they are. */
const HOST = "127.0.0.1";
const PATH = "/mcp";
/** No call of a tool is nearly as long. Bytes. */
const MAX_BODY = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 200;

export interface HttpOptions {
	readonly opened: OpenedServices;
	/** Of one key or token, and of one address whose credentials are wrong. */
	readonly requestsPerMinute: number;
	readonly version: string;
	readonly report: Report;
	/** 0: any free one. */
	readonly port: number;
	/** Served at `/metrics`; without, there is no such page. */
	readonly metrics?: Metrics;
}

export interface McpHttp {
	readonly url: string;
	close(): Promise<void>;
}

/**
 * Streamable HTTP on this machine. A web page can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding) or from another
 * origin: what names another host, or comes from one, is refused before it is read. Then whoever asks has to say who they are, as the API has it, and
 * gets a server over what they may see. No session is kept: each request stands for itself. @throws USAGE when the port is taken
 */
export async function serveMcpHttp({
	opened,
	requestsPerMinute,
	version,
	report,
	port,
	metrics,
}: HttpOptions): Promise<McpHttp> {
	const onerror = (error: Error) => report(`MCP: ${error.message}`);
	const handler = createMcpHandler(
		({ authInfo }) => {
			const services = authInfo?.extra?.services as ApiServices;
			return createMcpServer(services.reader, version, report, permitBy(services));
		},
		{ maxRequestBodySize: MAX_BODY, onerror },
	);
	const handle = toNodeHandler(handler, { maxRequestBodySize: MAX_BODY, onerror });
	const isOwnHost = localhostHostValidation();
	const isOwnOrigin = localhostOriginValidation();

	const app = fastify({ requestTimeout: REQUEST_TIMEOUT_MS });
	// The handler reads the request itself.
	app.removeAllContentTypeParsers();
	app.addContentTypeParser("*", (_request, _payload, done) => done(null));
	const places = { isExposed: false };
	const admission = new Admission({ opened: () => opened }, places, await createRate(app, requestsPerMinute));
	app.addHook("onRequest", async (request, reply) => {
		const { raw: response } = reply;
		response.setHeader("x-content-type-options", "nosniff");
		response.setHeader("cache-control", "no-store");
		if (!isOwnHost(request.raw, response) || !isOwnOrigin(request.raw, response)) reply.hijack();
	});
	if (metrics) measure(app, metrics, admission);
	app.setNotFoundHandler((_request, reply) => reply.status(404).type("text/plain").send(`MCP is at ${PATH}\n`));
	app.all(PATH, async (request, reply) => {
		let services: ApiServices;
		try {
			services = await admission.admit(shownBy(request.headers, request.socket.remoteAddress));
		} catch (error) {
			return refuse(reply, error);
		}
		reply.hijack();
		const auth = { token: "", clientId: services.principal.id, scopes: [], extra: { services } };
		await handle(Object.assign(request.raw, { auth }), reply.raw as ServerResponse);
		return reply;
	});
	app.server.maxConnections = MAX_CONNECTIONS;
	let url: string;
	try {
		url = await app.listen({ port, host: HOST });
	} catch (error) {
		const cause = error as NodeJS.ErrnoException;
		throw new LodeError("USAGE", `port ${port} of ${HOST} cannot be used: ${cause.code}`, {
			next: "Choose another one with --port, or stop what uses it.",
			cause,
		});
	}
	return {
		url: `${url}${PATH}`,
		async close() {
			await handler.close();
			app.server.closeAllConnections();
			await app.close();
		},
	};
}

/** Requests, connections and the page, which is for those who may ask the API for its own. */
function measure(app: FastifyInstance, metrics: Metrics, admission: Admission): void {
	measureRequests(app, metrics);
	countConnections(app.server, metrics);
	app.get("/metrics", async (request, reply) => {
		try {
			const services = await admission.admit(shownBy(request.headers, request.socket.remoteAddress));
			await services.permit("metrics");
		} catch (error) {
			return refuse(reply, error);
		}
		const { contentType, body } = await metrics.page();
		return reply.type(contentType).send(body);
	});
}

/** Refuses tools and resources that are not in the table of operations, too. */
const permitBy =
	({ permit }: ApiServices) =>
	async (place: string): Promise<void> => {
		const name = mcpOperation(place);
		if (name === undefined) throw forbidden("admin", "everywhere");
		await permit(name);
	};

const STATUS: Readonly<Record<string, number>> = {
	UNAUTHENTICATED: 401,
	FORBIDDEN: 403,
	RATE_LIMITED: 429,
	STORE_UNAVAILABLE: 503,
};

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
	const code = errorCode(error) ?? "INTERNAL";
	const status = STATUS[code] ?? 500;
	const { message, next, retryAfterMs } = error as LodeError;
	if (status === 401) void reply.header("www-authenticate", 'Bearer realm="lode"');
	if (retryAfterMs !== undefined) void reply.header("retry-after", Math.max(1, Math.ceil(retryAfterMs / 1_000)));
	const said = status === 500 ? "Something in Lode failed." : redact(message);
	return reply.status(status).send({ error: { code, message: said, ...(next !== undefined && { next }) } });
}
