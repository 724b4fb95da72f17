import { createRequire } from "node:module";
import fastifyStatic from "@fastify/static";
import type { NestFastifyApplication } from "@nestjs/platform-fastify";
import type { FastifyInstance } from "fastify";

const PLACE = "/graphql/explorer/";
/** Altair builds parts of itself as it runs, and keeps them in workers. Nothing comes from elsewhere. */
const CONTENT_POLICY = [
	"default-src 'self'",
	"script-src 'self' 'unsafe-inline' 'unsafe-eval'",
	"style-src 'self' 'unsafe-inline'",
	"img-src 'self' data:",
	"font-src 'self' data:",
	"connect-src 'self' ws: wss:",
	"worker-src 'self' blob:",
	"frame-ancestors 'none'",
].join("; ");

/** A page to try queries on: Altair, from its package, so that it works without a network. For development. */
export async function serveExplorer(app: NestFastifyApplication, fastify: FastifyInstance): Promise<void> {
	const { getDistDirectory, renderAltair } = createRequire(import.meta.url)(
		"altair-static",
	) as typeof import("altair-static");
	const page = renderAltair({ baseURL: PLACE, endpointURL: "/graphql", disableAccount: true });
	const assets = getDistDirectory();
	await app.register(async (scope: FastifyInstance) => {
		scope.addHook("onSend", async (_request, reply) => {
			void reply.header("content-security-policy", CONTENT_POLICY);
		});
		await scope.register(
			fastifyStatic as never,
			{ root: assets, prefix: PLACE, index: false, decorateReply: false } as never,
		);
		scope.get(PLACE, (_request, reply) => reply.type("text/html; charset=utf-8").send(page));
	});
	fastify.get(PLACE.slice(0, -1), (_request, reply) => reply.redirect(PLACE));
}
