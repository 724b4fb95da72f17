import { HttpException } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import { redact } from "../../config/secret.js";
import type { Log } from "../http-server.js";
import { type Problem, problemOf } from "./problem.js";
import { ProblemError } from "./problem-error.js";

const TITLES: Readonly<Record<number, string>> = {
	404: "Not found",
	405: "Method not allowed",
	413: "Payload too large",
	415: "Unsupported media type",
};

type Answered = Problem & { readonly retryAfterSeconds?: number };

/** Answers anything thrown with problem details; what is the server's own failure goes to the log too. */
export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
	const { retryAfterSeconds, ...problem } = ownProblem(error) ?? frameworkProblem(error) ?? problemOf(error);
	if (problem.status >= 500) {
		const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
		log({ level: "error", message: "a request failed", method: request.method, url: request.url, error: said });
	}
	if (retryAfterSeconds !== undefined) void reply.header("retry-after", retryAfterSeconds);
	if (problem.status === 401) void reply.header("www-authenticate", 'Bearer realm="lode"');
	return sendProblem(reply, problem);
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
	return reply
		.status(problem.status)
		.header("content-type", "application/problem+json")
		.send(JSON.parse(redact(JSON.stringify(problem))));
}

const ownProblem = (error: unknown): Answered | undefined =>
	error instanceof ProblemError ? error.problem : undefined;

/** What Nest and Fastify refuse themselves: an unknown path, a body that is too large. */
function frameworkProblem(error: unknown): Answered | undefined {
	const status =
		error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown } | null)?.statusCode;
	if (typeof status !== "number" || status < 400 || status >= 500) return undefined;
	const title = TITLES[status] ?? "Bad request";
	return { type: "about:blank", title, status, detail: (error as Error).message, code: "USAGE" };
}
