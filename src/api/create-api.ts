import type { IncomingHttpHeaders } from "node:http";
import { GraphQLSchemaHost } from "@nestjs/graphql";
import type { Metrics } from "../observability/metrics/metrics.js";
import { traceRequests } from "../observability/tracing/trace-requests.js";
import type { ApiServices } from "../services/lode.js";
import { apiModule } from "./api.module.js";
import { serveDocument } from "./document/openapi.js";
import { sendProblem } from "./errors/problem.filter.js";
import { serveExplorer } from "./graphql/explorer.js";
import { serveSubscriptions } from "./graphql/subscriptions/socket.js";
import { ReadinessOf } from "./health/readiness.js";
import { type HttpServer, type Log, startHttpServer } from "./http-server.js";
import { isOwnName, requireListenable } from "./listening.js";
import { isOwnOrigin } from "./own-origin.js";
import { OpenReader } from "./reading/open-reader.js";

export interface ApiOptions {
	readonly host: string;
	/** 0: any free one. */
	readonly port: number;
	/** Listen beyond this machine, though nobody is asked who they are. */
	readonly allowAnonymous: boolean;
	/** Serve a page to try queries on. */
	readonly explorer?: boolean;
	/** Opens the use cases; tried again while it fails. */
	readonly open: () => Promise<ApiServices>;
	readonly log: Log;
	/** Served at `/metrics`; without, there is no such page. */
	readonly metrics?: Metrics;
}

/** Of a request: nothing that is asked for takes more. */
const BODY_LIMIT = 64 * 1024;

/** The HTTP API, listening. @throws CONFIG_INVALID */
export async function createApi({
	host,
	port,
	allowAnonymous,
	explorer = false,
	open,
	log,
	metrics,
}: ApiOptions): Promise<HttpServer> {
	requireListenable({ host, allowAnonymous });
	const reader = new OpenReader(open, (error) =>
		log({ level: "warn", message: "the stores cannot be opened yet", error: (error as Error).message }),
	);
	const readiness = new ReadinessOf(() => reader.current());
	let server: HttpServer;
	try {
		server = await startHttpServer({
			module: apiModule(reader, readiness, log, metrics),
			host,
			port,
			bodyLimit: BODY_LIMIT,
			log,
			metrics,
			listening(app, http) {
				const { schema } = app.get(GraphQLSchemaHost);
				const services = () => reader.services();
				const accepts = (headers: IncomingHttpHeaders) =>
					isOwnOrigin({ headers }) && (allowAnonymous || isOwnName(headers.host));
				const subscriptions = serveSubscriptions({ server: http, schema, services, log, accepts });
				return () => subscriptions.close();
			},
			async configure(app, fastify) {
				serveDocument(app);
				if (explorer) await serveExplorer(app, fastify);
				fastify.addHook("onRequest", async (request, reply) => {
					if (request.method === "GET" || request.method === "HEAD" || isOwnOrigin(request)) return;
					const detail = "Pages of other places may not change anything here.";
					await sendProblem(reply, { type: "about:blank", title: "Forbidden", status: 403, detail, code: "USAGE" });
				});
				traceRequests(fastify);
				if (allowAnonymous) return;
				fastify.addHook("onRequest", async (request, reply) => {
					if (isOwnName(request.headers.host)) return;
					const detail = "This API answers to names of this machine only.";
					await sendProblem(reply, {
						type: "about:blank",
						title: "Misdirected request",
						status: 421,
						detail,
						code: "USAGE",
					});
				});
			},
		});
	} catch (error) {
		await reader.close();
		throw error;
	}
	let closed: Promise<void> | undefined;
	return {
		url: server.url,
		close() {
			closed ??= (async () => {
				readiness.drain();
				await server.close();
				await reader.close();
			})();
			return closed;
		},
	};
}
