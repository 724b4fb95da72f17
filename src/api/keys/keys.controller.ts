import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Post } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { z } from "zod";
import { parseGrants } from "../../domain/roles.js";
import type { ApiKey } from "../../services/security/api-key.js";
import { Answers, AnswersProblems, CheckedBody } from "../document/described.js";
import { OpenReader } from "../reading/open-reader.js";
import { createdKeySchema, keySchema, keysSchema, newKeySchema } from "./key.schemas.js";

@ApiTags("keys")
@AnswersProblems()
@Controller("api/v1/keys")
export class KeysController {
	constructor(@Inject(OpenReader) private readonly open: OpenReader) {}

	/** API keys, revoked and expired ones too. */
	@Get()
	@Answers(keysSchema, "Oldest first.")
	async list(): Promise<{ keys: ApiKey[] }> {
		return { keys: await this.open.services().keys.list() };
	}

	/** Makes an API key. Its secret is shown in this answer and never again, so a repeat makes another key. */
	@Post()
	@HttpCode(201)
	@Header("cache-control", "no-store")
	@Answers(createdKeySchema, "Done.", 201)
	create(@CheckedBody(newKeySchema) { roles, ...key }: z.infer<typeof newKeySchema>) {
		return this.open.services().keys.create({ ...key, grants: parseGrants(roles) });
	}

	/** Refuses an API key from now on, for good. */
	@Delete(":id")
	@Answers(keySchema, "Done.")
	revoke(@Param("id") id: string): Promise<ApiKey> {
		return this.open.services().keys.revoke(id);
	}
}
