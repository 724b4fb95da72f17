import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.js";

export interface MetricsServer {
	/** Of the page. */
	readonly url: string;
	close(): Promise<void>;
}

/** Serves `/metrics` and nothing else, on a port of its own: what listens for webhooks is open to others. @throws what listening fails with */
export async function serveMetrics(
	metrics: Metrics,
	{ host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
	const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8_192 }, (request, response) => {
		if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
			response.writeHead(404).end();
			return;
		}
		metrics.page().then(
			({ contentType, body }) => response.writeHead(200, { "content-type": contentType }).end(body),
			() => response.writeHead(500).end(),
		);
	});
	server.maxConnections = 20;
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, host, resolve);
	});
	// Who ends in order closes it.
	server.unref();
	const { port: given } = server.address() as AddressInfo;
	return {
		url: `http://${host.includes(":") ? `[${host}]` : host}:${given}/metrics`,
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** The page, where there are metrics and its port is free: what is measured goes on without it. */
export async function offerMetrics(
	metrics: Metrics | undefined,
	{ host, port = 0 }: { readonly host: string; readonly port?: number },
	log: (line: Readonly<Record<string, unknown>>) => void,
): Promise<MetricsServer | undefined> {
	if (metrics === undefined) return undefined;
	try {
		const server = await serveMetrics(metrics, { host, port });
		log({ level: "info", message: "metrics are served", url: server.url });
		return server;
	} catch (error) {
		const problem = (error as NodeJS.ErrnoException).code ?? String(error);
		log({ level: "warn", message: "metrics cannot be served", host, port, problem });
		return undefined;
	}
}
