import { Controller, Headers, Inject, Param, Post, Res } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import { CheckedBody, CheckedQuery } from "../document/described.js";
import { OpenReader } from "../reading/open-reader.js";
import {
	type Accepted,
	type CommandAnswer,
	newIngestionSchema,
	type WriteQuery,
	writeQuery,
} from "./command.schemas.js";
import { answerCommand } from "./command-answers.js";
import { StartsWork } from "./write-decorators.js";

@ApiTags("ingestions")
@Controller("api/v1/ingestions")
export class IngestionsWritingController {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	/** Ingests the commit that a branch, tag or commit id names now. */
	@Post()
	@StartsWork()
	async create(
		@CheckedBody(newIngestionSchema) body: z.infer<typeof newIngestionSchema>,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		return answerCommand(this.open.services().commands, { kind: "ingest", ...body }, { key, timeout, reply });
	}

	/** Tries an ingestion that was parked, cancelled or abandoned again. */
	@Post(":id/retry")
	@StartsWork()
	async retry(
		@Param("id") ingestion: string,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		return answerCommand(this.open.services().commands, { kind: "retry", ingestion }, { key, timeout, reply });
	}

	/** Stops an ingestion and discards what it staged. Nothing of it was ever visible. */
	@Post(":id/cancel")
	@StartsWork()
	async cancel(
		@Param("id") ingestion: string,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		return answerCommand(this.open.services().commands, { kind: "cancel", ingestion }, { key, timeout, reply });
	}
}
