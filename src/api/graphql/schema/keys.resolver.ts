import { Args, ArgsType, Context, Field, ID, Int, Mutation, ObjectType, Query, Resolver } from "@nestjs/graphql";
import { parseGrants } from "../../../domain/roles.js";
import { checkedKey } from "../../writing/command-answers.js";
import type { GraphqlContext } from "../operation.js";
import { within } from "../relay.js";
import { VisibilityArgs } from "./read-args.js";

@ObjectType({ description: "An API key, without what it is." })
class ApiKey {
	@Field(() => ID)
	id!: string;
	@Field()
	name!: string;
	@Field(() => [String])
	roles!: string[];
	@Field()
	createdAt!: string;
	@Field()
	createdBy!: string;
	@Field(() => String, { nullable: true })
	expiresAt!: string | null;
	@Field(() => String, { nullable: true })
	revokedAt!: string | null;
	@Field(() => Int, { nullable: true })
	requestsPerDay!: number | null;
	@Field(() => String, { nullable: true, description: "A day (UTC)." })
	lastUsedOn!: string | null;
	@Field(() => String, { nullable: true, description: "Of a mutation: a read that waits for it sees the change." })
	visibilityToken?: string;
}

@ObjectType()
class CreatedApiKey {
	@Field(() => ApiKey)
	key!: ApiKey;
	@Field(() => String, {
		nullable: true,
		description: "The key itself, shown this once; null in the answer to a repeat.",
	})
	secret!: string | null;
	@Field({ description: "A read that waits for it sees the key." })
	visibilityToken!: string;
}

@ArgsType()
class CreateApiKeyArgs {
	@Field()
	name!: string;
	@Field(() => [String], {
		description: "viewer, editor or admin of all sources, or of one by its id: viewer:shop-66101d4f3727.",
	})
	roles!: string[];
	@Field(() => String, { nullable: true, description: "ISO 8601; never where omitted." })
	expiresAt?: string;
	@Field(() => Int, { nullable: true })
	requestsPerDay?: number;
	@Field(() => String, {
		nullable: true,
		description: "A repeat with the same key and content makes no other API key, and has no secret.",
	})
	idempotencyKey?: string;
}

@Resolver(() => ApiKey)
export class KeysResolver {
	@Query(() => [ApiKey], { complexity: 100, description: "Oldest first, revoked and expired ones too." })
	async apiKeys(@Context() { read }: GraphqlContext, @Args({ type: () => VisibilityArgs }) _args: VisibilityArgs) {
		await read.view();
		return read.services.keys.list();
	}

	@Mutation(() => CreatedApiKey)
	createApiKey(@Context() { read }: GraphqlContext, @Args({ type: () => CreateApiKeyArgs }) args: CreateApiKeyArgs) {
		const { name, roles, expiresAt, requestsPerDay, idempotencyKey } = args;
		const limit = requestsPerDay ?? undefined;
		return read.services.keys.create(
			{
				name,
				grants: parseGrants(roles),
				expiresAt: expiresAt ?? undefined,
				requestsPerDay: limit === undefined ? undefined : within("requestsPerDay", limit, 1, 1_000_000_000),
			},
			checkedKey(idempotencyKey ?? undefined),
		);
	}

	@Mutation(() => ApiKey, { description: "Refuses it from now on, for good." })
	async revokeApiKey(@Context() { read }: GraphqlContext, @Args("id", { type: () => ID }) id: string) {
		const { key, visibilityToken } = await read.services.keys.revoke(id);
		return { ...key, visibilityToken };
	}
}
