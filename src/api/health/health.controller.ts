import { Controller, Get, Inject, Res } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import { type Readiness, ReadinessOf } from "./readiness.js";

@Controller("health")
export class HealthController {
	constructor(@Inject(ReadinessOf) private readonly readiness: ReadinessOf) {}

	/** The process runs and answers. */
	@Get("live")
	live(): { status: "live" } {
		return { status: "live" };
	}

	/** 200 where requests can be served, else 503 with the seconds to wait. */
	@Get("ready")
	async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
		const readiness = await this.readiness.now();
		if (readiness.retry_after !== undefined) void reply.status(503).header("retry-after", readiness.retry_after);
		return readiness;
	}
}
