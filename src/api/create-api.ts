import cors from "@fastify/cors";
import { GraphQLSchemaHost } from "@nestjs/graphql";
import type { NestFastifyApplication } from "@nestjs/platform-fastify";
import type { FastifyInstance } from "fastify";
import type { Metrics } from "../observability/metrics/metrics.js";
import { traceRequests } from "../observability/tracing/trace-requests.js";
import type { OpenedServices } from "../services/lode.js";
import type { Authentication } from "../services/security/authenticator.js";
import { apiModule } from "./api.module.js";
import { serveDocument } from "./document/openapi.js";
import { serveExplorer } from "./graphql/explorer.js";
import { serveSubscriptions } from "./graphql/subscriptions/socket.js";
import { ReadinessOf } from "./health/readiness.js";
import { type HttpServer, type Log, startHttpServer } from "./http-server.js";
import { requireListenable } from "./listening.js";
import { OpenReader } from "./reading/open-reader.js";
import { Admission } from "./security/admission.js";
import { guardRoutes } from "./security/guard-routes.js";
import { Places } from "./security/places.js";
import { createRate } from "./security/rate.js";

export interface ApiOptions {
	readonly host: string;
	/** 0: any free one. */
	readonly port: number;
	/** Who has to say who they are; default `auto`. */
	readonly authentication?: Authentication;
	/** Listen beyond this machine, though nobody is asked who they are. */
	readonly allowAnonymous: boolean;
	/** Serve a page to try queries on. */
	readonly explorer?: boolean;
	/** Of one key or token, and of one address whose credentials are wrong. */
	readonly requestsPerMinute?: number;
	/** Origins whose pages may use it; none where omitted. */
	readonly corsOrigins?: readonly string[];
	/** Opens the use cases; tried again while it fails. */
	readonly open: () => Promise<OpenedServices>;
	readonly log: Log;
	/** Served at `/metrics`; without, there is no such page. */
	readonly metrics?: Metrics;
}

/** Of a request: nothing that is asked for takes more. */
const BODY_LIMIT = 64 * 1024;
const REQUESTS_PER_MINUTE = 6_000;
/** How long a browser may remember that it may ask. Seconds. */
const PREFLIGHT_SECONDS = 600;

/** The HTTP API, listening. @throws CONFIG_INVALID */
export async function createApi({
	host,
	port,
	authentication = "auto",
	allowAnonymous,
	explorer = false,
	requestsPerMinute = REQUESTS_PER_MINUTE,
	corsOrigins = [],
	open,
	log,
	metrics,
}: ApiOptions): Promise<HttpServer> {
	const places = new Places({ host, allowAnonymous, corsOrigins });
	const reader = new OpenReader(open, (error) =>
		log({ level: "warn", message: "the stores cannot be opened yet", error: (error as Error).message }),
	);
	const readiness = new ReadinessOf(() => reader.current());
	let admission: Admission;
	let server: HttpServer;
	try {
		await requireListenable({ host, allowAnonymous, authentication }, () => reader.firstOpened());
		server = await startHttpServer({
			module: apiModule(reader, readiness, log, metrics),
			host,
			port,
			bodyLimit: BODY_LIMIT,
			log,
			metrics,
			async configure(app, fastify) {
				// Before all others: what a browser asks beforehand shows no credentials.
				if (corsOrigins.length > 0) await allowOrigins(app, corsOrigins);
				traceRequests(fastify);
				admission = new Admission(reader, places, await createRate(fastify, requestsPerMinute));
				guardRoutes(fastify, { places, admission, log });
				serveDocument(app);
				if (explorer) await serveExplorer(app, fastify as FastifyInstance);
			},
			listening(app, http) {
				const { schema } = app.get(GraphQLSchemaHost);
				const subscriptions = serveSubscriptions({ server: http, schema, places, admission, log });
				return () => subscriptions.close();
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

/** Pages of these origins may send keys and tokens themselves; there are no cookies that a browser would add. */
async function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): Promise<void> {
	await app.register(
		cors as never,
		{
			origin: [...origins],
			methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
			allowedHeaders: ["authorization", "content-type", "idempotency-key", "x-api-key"],
			exposedHeaders: ["idempotency-replayed", "location", "retry-after"],
			maxAge: PREFLIGHT_SECONDS,
			credentials: false,
		} as never,
	);
}
