import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { operationOf, restOperation } from "../../services/security/operations.js";
import { forbidden, type Principal } from "../../services/security/principal.js";
import { answerFailure, sendProblem } from "../errors/answer-failure.js";
import type { Log } from "../http-server.js";
import type { Admission } from "./admission.js";
import { shownBy } from "./admission.js";
import { askedAs } from "./asked-by.js";
import type { Places } from "./places.js";

/** Before any route: from where a request may come, who sent it, and whether they may. A route that is not in the table of operations is refused. */
export function guardRoutes(
	fastify: FastifyInstance,
	{ places, admission, log }: { readonly places: Places; readonly admission: Admission; readonly log: Log },
): void {
	const asking = new WeakMap<FastifyRequest, Principal>();

	fastify.addHook("onRequest", async (request, reply) => {
		const { headers, method } = request;
		if (!places.isOwnName(headers)) {
			return misplaced(reply, 421, "Misdirected request", "This API answers to names of this machine only.");
		}
		if (method !== "GET" && method !== "HEAD" && !places.isOwnOrigin(headers)) {
			return misplaced(reply, 403, "Forbidden", "Pages of other places may not change anything here.");
		}
		const route = request.routeOptions.url;
		const name = route === undefined ? undefined : restOperation(method, route);
		if (name !== undefined && operationOf(name).least === "anyone") return;
		try {
			const services = await admission.admit(shownBy(headers, request.socket.remoteAddress));
			// What is nowhere is answered as such, to whoever may ask at all.
			if (route === undefined) return;
			if (name === undefined) throw forbidden("admin", "everywhere");
			await services.permit(name);
			asking.set(request, services.principal);
			// What is for one is not for the next one who asks a cache.
			void reply.header("cache-control", "private, no-cache");
		} catch (error) {
			return answerFailure(error, request, reply, log);
		}
	});

	// Here, after the body is read: what runs in between is called by the socket, in no request's context.
	fastify.addHook("preHandler", (request, _reply, done) => {
		const principal = asking.get(request);
		if (principal === undefined) done();
		else askedAs(principal, done);
	});
}

const misplaced = (reply: FastifyReply, status: number, title: string, detail: string): FastifyReply =>
	sendProblem(reply, { type: "about:blank", title, status, detail, code: "USAGE" });
