import { Controller, Headers, Inject, Post, Res } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import { CheckedBody, CheckedQuery } from "../document/described.js";
import { OpenReader } from "../reading/open-reader.js";
import {
	type Accepted,
	type CommandAnswer,
	newVerificationSchema,
	type WriteQuery,
	writeQuery,
} from "./command.schemas.js";
import { answerCommand } from "./command-answers.js";
import { StartsWork } from "./write-decorators.js";

@ApiTags("maintenance")
@Controller("api/v1")
export class MaintenanceController {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	/** Recomputes every digest of a snapshot and compares it with the catalog. */
	@Post("verifications")
	@StartsWork()
	async verify(
		@CheckedBody(newVerificationSchema) body: z.infer<typeof newVerificationSchema>,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		return answerCommand(this.open.services().commands, { kind: "verify", ...body }, { key, timeout, reply });
	}

	/** Deletes versions that no retention keeps, and bytes that nothing refers to. */
	@Post("garbage-collections")
	@StartsWork()
	async collect(
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		return answerCommand(this.open.services().commands, { kind: "collect-garbage" }, { key, timeout, reply });
	}
}
