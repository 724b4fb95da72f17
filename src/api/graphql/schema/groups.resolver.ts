import { Args, ArgsType, Context, Field, ID, Mutation, Query, Resolver } from "@nestjs/graphql";
import { groupPlace } from "../../../services/groups/group-report.js";
import type { GraphqlContext } from "../operation.js";
import { Command } from "./command.types.js";
import { submit, WriteArgs } from "./commands.resolver.js";
import { GroupByEnum } from "./enums.js";
import { Group, GroupIndexingInput, GroupRetentionInput, GroupRuleInput } from "./group.types.js";
import { ReadArgs } from "./read-args.js";

@ArgsType()
class GroupsArgs extends ReadArgs {
	@Field(() => String, {
		nullable: true,
		description: "An id, a unique beginning of one, or an address; all where omitted.",
	})
	source?: string;
}

@ArgsType()
class GroupArgs extends ReadArgs {
	@Field(() => ID, { description: "<source>:<name>" })
	id!: string;
}

@ArgsType()
class GroupFieldsArgs extends WriteArgs {
	@Field(() => String, { nullable: true, description: "A folder of the source; empty: all of it." })
	path?: string | null;
	@Field(() => [String], { nullable: true, description: "Globs below `path`." })
	include?: string[] | null;
	@Field(() => [String], { nullable: true })
	exclude?: string[] | null;
	@Field(() => GroupByEnum, { nullable: true })
	grouping?: string | null;
	@Field(() => [GroupRuleInput], { nullable: true })
	rules?: GroupRuleInput[] | null;
	@Field(() => GroupIndexingInput, { nullable: true })
	indexing?: GroupIndexingInput | null;
	@Field(() => GroupRetentionInput, { nullable: true })
	retention?: GroupRetentionInput | null;
}

@ArgsType()
class CreateGroupArgs extends GroupFieldsArgs {
	@Field(() => String)
	source!: string;
	@Field(() => String)
	name!: string;
}

@ArgsType()
class UpdateGroupArgs extends GroupFieldsArgs {
	@Field(() => ID)
	group!: string;
}

@ArgsType()
class DeleteGroupArgs extends WriteArgs {
	@Field(() => ID)
	group!: string;
}

@Resolver(() => Group)
export class GroupsResolver {
	@Query(() => [Group], { complexity: 10 })
	async groups(@Context() { read }: GraphqlContext, @Args({ type: () => GroupsArgs }) { source }: GroupsArgs) {
		await read.view();
		return read.services.reader.groups(source ?? undefined);
	}

	@Query(() => Group)
	async group(@Context() { read }: GraphqlContext, @Args({ type: () => GroupArgs }) { id }: GroupArgs) {
		await read.view();
		const { source, name } = groupPlace(id);
		return read.services.reader.group(source, name);
	}

	@Mutation(() => Command, { description: "Adds a group. It has ended when its files can be searched by it." })
	createGroup(@Context() context: GraphqlContext, @Args({ type: () => CreateGroupArgs }) args: CreateGroupArgs) {
		return submit(context, "create-group", asRest(args));
	}

	@Mutation(() => Command, {
		description: "Changes what is given and leaves the rest. Readers see the old index until the new one is complete.",
	})
	updateGroup(@Context() context: GraphqlContext, @Args({ type: () => UpdateGroupArgs }) args: UpdateGroupArgs) {
		return submit(context, "update-group", asRest(args));
	}

	@Mutation(() => Command, { description: "Takes a group out of the index. `default` cannot go." })
	deleteGroup(@Context() context: GraphqlContext, @Args({ type: () => DeleteGroupArgs }) args: DeleteGroupArgs) {
		return submit(context, "delete-group", args);
	}
}

/** The same request has the same fingerprint; a null is none but in a retention, where it takes the bound away. */
function asRest<T extends GroupFieldsArgs>({ indexing, retention, rules, ...rest }: T) {
	return {
		...rest,
		...(indexing && { indexing: Object.fromEntries(Object.entries(indexing).filter(([, value]) => value !== null)) }),
		...(retention && { retention: { ...retention } }),
		...(rules && { rules: rules.map((rule) => ({ ...rule })) }),
	};
}
