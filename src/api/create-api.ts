import "reflect-metadata";
import helmet from "@fastify/helmet";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { LodeReader } from "../services/lode.js";
import { apiModule } from "./api.module.js";
import { ProblemFilter, sendProblem } from "./errors/problem.filter.js";
import { ReadinessOf } from "./health/readiness.js";
import { isOwnName, requireListenable } from "./listening.js";
import { OpenReader } from "./reading/open-reader.js";

export interface ApiOptions {
	readonly host: string;
	/** 0: any free one. */
	readonly port: number;
	/** Listen beyond this machine, though nobody is asked who they are. */
	readonly allowAnonymous: boolean;
	/** Opens the use cases that read; tried again while it fails. */
	readonly open: () => Promise<LodeReader>;
	/** One line of the log, as an object. */
	readonly log: (line: Readonly<Record<string, unknown>>) => void;
}

export interface Api {
	readonly url: string;
	/** Not ready from now on; what is being answered is answered, then it stops. */
	close(): Promise<void>;
}

/** Nothing that is asked by GET has a body. */
const BODY_LIMIT = 64 * 1024;
/** A client that sends its request slower than this is cut off. Milliseconds. */
const REQUEST_TIMEOUT = 30_000;
/** After that long, requests that are still running are cut off. Milliseconds. */
const DRAIN_MS = 10_000;
const IDLE_CHECK_MS = 50;

/** The HTTP API, listening. @throws CONFIG_INVALID */
export async function createApi({ host, port, allowAnonymous, open, log }: ApiOptions): Promise<Api> {
	requireListenable({ host, allowAnonymous });
	const reader = new OpenReader(open, (error) =>
		log({ level: "warn", message: "the stores cannot be opened yet", error: (error as Error).message }),
	);
	const readiness = new ReadinessOf(() => reader.current());
	const adapter = new FastifyAdapter({
		bodyLimit: BODY_LIMIT,
		requestTimeout: REQUEST_TIMEOUT,
		routerOptions: { maxParamLength: 500 },
		return503OnClosing: true,
		// Before any route, so that no filter sees it: a path that is no path.
		frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
			void sendProblem(reply, {
				type: "about:blank",
				title: "Bad request",
				status: 400,
				detail: error.message,
				code: "USAGE",
			});
		},
	});
	const app = await NestFactory.create<NestFastifyApplication>(apiModule(reader, readiness), adapter, {
		logger: false,
		abortOnError: false,
	});
	app.useGlobalFilters(new ProblemFilter(log));
	await app.register(helmet);
	if (!allowAnonymous) {
		adapter.getInstance().addHook("onRequest", async (request, reply) => {
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
	}
	try {
		await app.listen(port, host);
	} catch (error) {
		await reader.close();
		await app.close();
		throw error;
	}
	return {
		url: (await app.getUrl()).replace(/\/$/, ""),
		async close() {
			readiness.drain();
			const server = adapter.getHttpServer();
			const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
			// Clients keep connections for their next request: as soon as one has its answer, it goes.
			const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
			await app.close();
			clearInterval(idle);
			clearTimeout(late);
			await reader.close();
		},
	};
}
