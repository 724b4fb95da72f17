import { Controller, Get, Inject, Res } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import { Answers } from "../document/described.js";
import { OpenReader } from "../reading/open-reader.js";
import { liveSchema, readySchema } from "./health.schemas.js";
import { type Readiness, ReadinessOf } from "./readiness.js";

/** Where people have to say who they are, messages of stores, which may hold addresses, are for the log alone. */
const forStrangers = ({ stores, ...readiness }: Readiness): Readiness => ({
	...readiness,
	...(stores && {
		stores: stores.map(({ name, problem }) => ({ name, problem: problem?.replace(/:.*$/s, "") ?? null })),
	}),
});

@Controller("health")
export class HealthController {
	constructor(
		@Inject(ReadinessOf) private readonly readiness: ReadinessOf,
		@Inject(OpenReader) private readonly open: OpenReader,
	) {}

	/** The process runs and answers. */
	@Get("live")
	@Answers(liveSchema, "It does.")
	live(): { status: "live" } {
		return { status: "live" };
	}

	/** 200 where requests can be served, else 503 with the seconds to wait. */
	@Get("ready")
	@Answers(readySchema, "It can serve requests.")
	@Answers(readySchema, "It cannot, now.", 503)
	async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
		const readiness = await this.readiness.now();
		if (readiness.retry_after !== undefined) void reply.status(503).header("retry-after", readiness.retry_after);
		return (await this.open.isForKnown()) ? forStrangers(readiness) : readiness;
	}
}
