import { type ArgumentsHost, Catch, type ExceptionFilter } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../http-server.js";
import { answerFailure } from "./answer-failure.js";

/** Every failure of a request becomes problem details, once, here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
	constructor(private readonly log: Log) {}

	catch(error: unknown, host: ArgumentsHost): void {
		// GraphQL's own formatter says what a field failed with.
		if (host.getType<string>() !== "http") throw error;
		const http = host.switchToHttp();
		answerFailure(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.log);
	}
}
