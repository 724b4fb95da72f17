import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from "@nestjs/common";
import type { FastifyRequest } from "fastify";
import type { Observable } from "rxjs";
import { Validated } from "../errors/validated.js";
import { OpenReader } from "./open-reader.js";
import { plainQuery } from "./queries.js";

const waited = new Validated(plainQuery);

/** A read that names the visibility token of a write waits until it can show it. @throws TIMEOUT, USAGE */
@Injectable()
export class AwaitVisibility implements NestInterceptor {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
		const { minVisibility, visibilityTimeout } = context.switchToHttp().getRequest<FastifyRequest>().query as {
			minVisibility?: unknown;
			visibilityTimeout?: unknown;
		};
		if (minVisibility !== undefined) {
			const wait = waited.transform({ minVisibility, visibilityTimeout });
			await this.open.services().commands.awaitVisible(wait.minVisibility as string, wait.visibilityTimeout * 1_000);
		}
		return next.handle();
	}
}
