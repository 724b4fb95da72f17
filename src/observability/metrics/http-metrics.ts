import type { Server } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Metrics } from "./metrics.js";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Measures requests by their route, never by their path: what no route takes is `none`. */
export function measureRequests(fastify: FastifyInstance, metrics: Metrics): void {
	const took = metrics.observe("httpSeconds");
	fastify.addHook("onResponse", async (request, reply) => {
		const method = METHODS.has(request.method) ? request.method : "other";
		const route = request.routeOptions.url ?? "none";
		took({ method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
	});
}

export function countConnections(server: Server, metrics: Metrics): void {
	let sockets = 0;
	server.on("upgrade", (_request, socket) => {
		sockets += 1;
		socket.once("close", () => {
			sockets -= 1;
		});
	});
	metrics.gauge("webSockets", (set) => set(sockets));
	metrics.gauge("httpConnections", (set) => {
		return new Promise<void>((resolve, reject) => {
			server.getConnections((error, count) => {
				if (error) reject(error);
				else resolve(set(count));
			});
		});
	});
}
