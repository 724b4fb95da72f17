import { Args, ArgsType, Context, Field, ID, Int, Mutation, ObjectType, Query, Resolver } from "@nestjs/graphql";
import { parseGrants } from "../../../domain/roles.js";
import type { GraphqlContext } from "../operation.js";
import { within } from "../relay.js";

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
}

@ObjectType()
class CreatedApiKey {
	@Field(() => ApiKey)
	key!: ApiKey;
	@Field({ description: "The key itself: shown this once." })
	secret!: string;
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
}

@Resolver(() => ApiKey)
export class KeysResolver {
	@Query(() => [ApiKey], { complexity: 100, description: "Oldest first, revoked and expired ones too." })
	apiKeys(@Context() { read }: GraphqlContext) {
		return read.services.keys.list();
	}

	@Mutation(() => CreatedApiKey)
	createApiKey(@Context() { read }: GraphqlContext, @Args({ type: () => CreateApiKeyArgs }) args: CreateApiKeyArgs) {
		const { name, roles, expiresAt, requestsPerDay } = args;
		return read.services.keys.create({
			name,
			grants: parseGrants(roles),
			expiresAt: expiresAt ?? undefined,
			requestsPerDay: requestsPerDay ? within("requestsPerDay", requestsPerDay, 1, 1_000_000_000) : undefined,
		});
	}

	@Mutation(() => ApiKey, { description: "Refuses it from now on, for good." })
	revokeApiKey(@Context() { read }: GraphqlContext, @Args("id", { type: () => ID }) id: string) {
		return read.services.keys.revoke(id);
	}
}
