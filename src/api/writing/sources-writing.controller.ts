import { Controller, Delete, Headers, Inject, Param, Post, Res } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import { CheckedBody, CheckedQuery } from "../document/described.js";
import { OpenReader } from "../reading/open-reader.js";
import { type Accepted, type CommandAnswer, newSourceSchema, type WriteQuery, writeQuery } from "./command.schemas.js";
import { answerCommand } from "./command-answers.js";
import { ChangesAtOnce, StartsWork } from "./write-decorators.js";

@ApiTags("sources")
@Controller("api/v1/sources")
export class SourcesWritingController {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	/** Adds a source, or finds it where it is there. Nothing of it is ingested yet. */
	@Post()
	@ChangesAtOnce()
	async create(
		@CheckedBody(newSourceSchema) body: z.infer<typeof newSourceSchema>,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		const { commands } = this.open.services();
		return answerCommand(commands, { kind: "create-source", ...body }, { key, timeout: 0, reply });
	}

	/** Takes a source out of every reader's sight, then deletes all that came from it. Its events stay. */
	@Delete(":source")
	@StartsWork()
	async delete(
		@Param("source") source: string,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		const { commands } = this.open.services();
		return answerCommand(commands, { kind: "delete-source", source }, { key, timeout, reply });
	}
}
