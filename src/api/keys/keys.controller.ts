import {
	Controller,
	Delete,
	Get,
	Header,
	Headers,
	HttpCode,
	Inject,
	Param,
	Post,
	Res,
	UseInterceptors,
} from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import { parseGrants } from "../../domain/roles.js";
import type { ApiKey } from "../../services/security/api-key.js";
import { Answers, AnswersProblems, CheckedBody, CheckedQuery } from "../document/described.js";
import { AwaitVisibility } from "../reading/await-visibility.js";
import { OpenReader } from "../reading/open-reader.js";
import { type PlainParameters, plainQuery } from "../reading/queries.js";
import { checkedKey } from "../writing/command-answers.js";
import { IdempotencyKey } from "../writing/write-decorators.js";
import { createdKeySchema, keysSchema, newKeySchema, revokedKeySchema } from "./key.schemas.js";

@ApiTags("keys")
@AnswersProblems()
@Controller("api/v1/keys")
export class KeysController {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	/** API keys, revoked and expired ones too. */
	@Get()
	@UseInterceptors(AwaitVisibility)
	@Answers(keysSchema, "Oldest first.")
	async list(@CheckedQuery(plainQuery) _query: PlainParameters): Promise<{ keys: ApiKey[] }> {
		return { keys: await this.open.services().keys.list() };
	}

	/**
	 * Makes an API key. Its secret is shown in this answer and never again: a repeat with the same Idempotency-Key makes none, and its secret is
	 * null. Whoever lost the answer revokes that key and makes another.
	 */
	@Post()
	@HttpCode(201)
	@IdempotencyKey()
	@Header("cache-control", "no-store")
	@Answers(createdKeySchema, "Done.", 201)
	async create(
		@CheckedBody(newKeySchema) { roles, ...wanted }: z.infer<typeof newKeySchema>,
		@Headers("idempotency-key") once: string | undefined,
		@Res({ passthrough: true }) reply: FastifyReply,
	) {
		const { keys } = this.open.services();
		const { key, secret, visibilityToken } = await keys.create(
			{ ...wanted, grants: parseGrants(roles) },
			checkedKey(once),
		);
		if (secret === null) void reply.header("idempotency-replayed", "true");
		return { key, secret, visibility_token: visibilityToken };
	}

	/** Refuses an API key from now on, for good. A repeat is answered alike, whatever its Idempotency-Key. */
	@Delete(":id")
	@IdempotencyKey()
	@Answers(revokedKeySchema, "Done.")
	async revoke(@Param("id") id: string, @Headers("idempotency-key") once: string | undefined) {
		checkedKey(once);
		const { key, visibilityToken } = await this.open.services().keys.revoke(id);
		return { ...key, visibility_token: visibilityToken };
	}
}
