import rateLimit from "@fastify/rate-limit";
import { type DynamicModule, Module } from "@nestjs/common";
import { LodeError } from "../../domain/errors.js";
import type { Metrics } from "../../observability/metrics/metrics.js";
import { type GatewayMetrics, gatewayMetrics, observedDispatch } from "../../observability/metrics/webhook-metrics.js";
import { Dispatcher, type DispatchPorts } from "../../webhooks/dispatcher/dispatcher.js";
import { Ledger } from "../../webhooks/ledger/ledger.js";
import type { SenderName } from "../../webhooks/receipt.js";
import { ReplayRequests } from "../../webhooks/replay/replay-requests.js";
import { type HttpServer, type Log, startHttpServer } from "../http-server.js";
import { GatewayController } from "./gateway.controller.js";
import { Gateway } from "./gateway.js";

export interface GatewayOptions {
	readonly host: string;
	/** 0: any free one. */
	readonly port: number;
	/** A sender without a secret is not listened to. */
	readonly secrets: Readonly<Partial<Record<SenderName, { reveal(): string }>>>;
	readonly ledger: { readonly folder: string; readonly maxBytes: number };
	/** Requests of one address a minute. */
	readonly requestsPerMinute: number;
	readonly dispatch: DispatchPorts & { close(): Promise<void> };
	readonly log: Log;
	readonly metrics?: Metrics;
}

/** GitHub's largest are 25 MB; pushes are far smaller, and Lode reads their first lines only. */
const BODY_LIMIT = 5 * 1024 * 1024;

@Module({ controllers: [GatewayController] })
class GatewayModule {}

/**
 * The webhook gateway: listens, reads its ledger, accepts and dispatches, in this order. It needs neither Temporal nor a store to start and to
 * accept. Returns when it accepts. @throws CONFIG_INVALID
 */
export async function createGateway(options: GatewayOptions): Promise<HttpServer> {
	const { host, port, secrets, log } = options;
	if (Object.values(secrets).every((secret) => secret === undefined)) {
		throw new LodeError("CONFIG_INVALID", "LODE_WEBHOOK_SECRET_*: no sender of webhooks has a secret here", {
			next: "Set LODE_WEBHOOK_SECRET_LAKEFS, _GITHUB, _GITLAB, _GITEA or _GENERIC, and give the sender the same.",
		});
	}
	const measured = options.metrics && gatewayMetrics(options.metrics);
	const gateway = new Gateway(secrets, measured);
	const module: DynamicModule = { module: GatewayModule, providers: [{ provide: Gateway, useValue: gateway }] };
	// Before the ledger is read, which takes seconds where it is large: who asks meanwhile is told to come again.
	const server = await startHttpServer({
		module,
		host,
		port,
		bodyLimit: BODY_LIMIT,
		forBrowsers: false,
		log,
		metrics: options.metrics,
		async configure(app, fastify) {
			// What was signed is the bytes.
			fastify.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) =>
				done(null, body),
			);
			await app.register(rateLimit, {
				max: options.requestsPerMinute,
				timeWindow: "1 minute",
				// No sender reads how much is left; when nothing is, `retry-after` says what to do.
				addHeaders: { "x-ratelimit-limit": false, "x-ratelimit-remaining": false, "x-ratelimit-reset": false },
				// Whoever watches it is not a sender.
				allowList: (request) => request.url.startsWith("/health/"),
			});
		},
	});
	try {
		const finish = await recover(gateway, options, measured);
		return {
			url: server.url,
			async close() {
				gateway.drain();
				await server.close();
				await finish();
			},
		};
	} catch (error) {
		await server.close();
		throw error;
	}
}

/** Reads the ledger, begins to accept and to dispatch. Returns what ends it. */
async function recover(
	gateway: Gateway,
	{ ledger: place, dispatch, log, metrics }: GatewayOptions,
	measured: GatewayMetrics | undefined,
): Promise<() => Promise<void>> {
	const ledger = await Ledger.open(place);
	const { damaged, waiting } = ledger.state();
	if (damaged > 0) {
		const where = `${place.folder}/damaged`;
		log({ level: "error", message: `${damaged} records of the ledger were damaged and are set aside`, where });
	}
	if (waiting > 0) log({ level: "info", message: `${waiting} receipts wait from before` });
	const dispatcher = new Dispatcher(ledger, metrics ? observedDispatch(dispatch, metrics) : dispatch, log);
	const requests = new ReplayRequests(ledger, place.folder, log);
	dispatcher.start();
	requests.start();
	gateway.open({ ledger, dispatch: () => dispatcher.state() });
	measured?.recovered(ledger, () => dispatcher.state());
	return async () => {
		await requests.stop();
		await dispatcher.stop();
		await dispatch.close();
		await ledger.close();
	};
}
