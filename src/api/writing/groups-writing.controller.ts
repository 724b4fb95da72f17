import { Controller, Delete, Headers, Inject, Param, Post, Put, Res } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import type { GroupFields } from "../../domain/group-input.js";
import { CheckedQuery, DescribedBody } from "../document/described.js";
import { OpenReader } from "../reading/open-reader.js";
import { type Accepted, type CommandAnswer, type WriteQuery, writeQuery } from "./command.schemas.js";
import { answerCommand } from "./command-answers.js";
import { groupChangeSchema, newGroupSchema } from "./group.schemas.js";
import { StartsWork } from "./write-decorators.js";

@ApiTags("groups")
@Controller("api/v1/groups")
export class GroupsWritingController {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	/** Adds a group. It has ended when its files can be searched by it. */
	@Post()
	@StartsWork()
	async create(
		@DescribedBody(newGroupSchema) body: { source: string; name: string } & GroupFields,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		return answerCommand(this.open.services().commands, { ...body, kind: "create-group" }, { key, timeout, reply });
	}

	/** Changes what is given and leaves the rest. Readers see the old index until the new one is complete. */
	@Put(":id")
	@StartsWork()
	async update(
		@Param("id") group: string,
		@DescribedBody(groupChangeSchema) body: GroupFields,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		const request = { ...body, kind: "update-group", group } as const;
		return answerCommand(this.open.services().commands, request, { key, timeout, reply });
	}

	/** Takes a group out of the index. `default` cannot go. */
	@Delete(":id")
	@StartsWork()
	async delete(
		@Param("id") group: string,
		@CheckedQuery(writeQuery) { timeout }: WriteQuery,
		@Headers("idempotency-key") key: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Accepted | CommandAnswer> {
		return answerCommand(this.open.services().commands, { kind: "delete-group", group }, { key, timeout, reply });
	}
}
