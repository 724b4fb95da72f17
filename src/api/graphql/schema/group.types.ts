import { Field, ID, InputType, Int, ObjectType } from "@nestjs/graphql";
import { SafeInt } from "../scalars.js";
import { GroupByEnum, GroupStateEnum } from "./enums.js";

@ObjectType()
class GroupIndexing {
	@Field()
	model!: string;
	@Field(() => Int, { description: "Characters." })
	chunkSize!: number;
	@Field(() => Int, { description: "Characters." })
	overlap!: number;
}

@ObjectType()
class GroupRetention {
	@Field(() => Int, { nullable: true, description: "Published commits that stay queryable; null: all." })
	maxVersions!: number | null;
	@Field(() => SafeInt, { nullable: true, description: "Seconds that a superseded version stays; null: for ever." })
	ttl!: number | null;
}

@ObjectType()
class GroupRule {
	@Field()
	name!: string;
	@Field(() => [String])
	globs!: string[];
}

@ObjectType({ description: "What of a source is indexed." })
class GroupSelection {
	@Field({ description: "A folder of the source; empty: all of it." })
	path!: string;
	@Field(() => [String], { description: "Globs below `path`." })
	include!: string[];
	@Field(() => [String])
	exclude!: string[];
	@Field(() => GroupIndexing)
	indexing!: GroupIndexing;
}

@ObjectType({ description: "What of a source is indexed and how." })
export class Group extends GroupSelection {
	@Field(() => ID)
	id!: string;
	@Field(() => ID)
	source!: string;
	@Field()
	name!: string;
	@Field(() => GroupByEnum, { description: "How hits are put together. CUSTOM: by the first of `rules` that matches." })
	grouping!: string;
	@Field(() => [GroupRule])
	rules!: GroupRule[];
	@Field(() => GroupRetention)
	retention!: GroupRetention;
	@Field(() => GroupStateEnum)
	state!: string;
	@Field(() => GroupSelection, { nullable: true, description: "What the index has until it is re-indexed." })
	serves!: GroupSelection | null;
}

@InputType()
export class GroupIndexingInput {
	@Field(() => String, {
		nullable: true,
		description: "A model that the configuration serves, or `configured`: the one that it names now.",
	})
	model?: string | null;
	@Field(() => Int, { nullable: true })
	chunkSize?: number | null;
	@Field(() => Int, { nullable: true })
	overlap?: number | null;
}

@InputType({ description: "null: without a bound; what is left out stays as it is." })
export class GroupRetentionInput {
	@Field(() => Int, { nullable: true })
	maxVersions?: number | null;
	@Field(() => SafeInt, { nullable: true })
	ttl?: number | null;
}

@InputType()
export class GroupRuleInput {
	@Field()
	name!: string;
	@Field(() => [String])
	globs!: string[];
}
