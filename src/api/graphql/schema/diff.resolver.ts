import { Args, ArgsType, Context, Field, ID, ObjectType, Query, Resolver } from "@nestjs/graphql";
import type { GraphqlContext } from "../operation.js";
import { connectionOf, connectionType, pageCost, pageRequest } from "../relay.js";
import { EntityChange } from "./entity.types.js";
import { PagedReadArgs } from "./paged-args.js";

const EntityChangeConnection = connectionType(EntityChange, "EntityChange");

@ObjectType({ description: "What changed in the graph between two states of a source." })
class Diff {
	@Field(() => ID)
	source!: string;
	@Field({ description: "A commit." })
	from!: string;
	@Field({ description: "A commit." })
	to!: string;
	@Field(() => EntityChangeConnection, { description: "By key." })
	changes!: object;
}

@ArgsType()
class DiffArgs extends PagedReadArgs {
	@Field(() => String)
	source!: string;
	@Field(() => String, { description: "A snapshot number, a time or a commit." })
	from!: string;
	@Field(() => String, { nullable: true, description: "The same; this request's snapshot where omitted." })
	to?: string;
}

@Resolver()
export class DiffResolver {
	@Query(() => Diff, { complexity: (options) => 100 + pageCost(options) })
	async diff(@Context() { read }: GraphqlContext, @Args({ type: () => DiffArgs }) args: DiffArgs) {
		const view = await read.view();
		const { source, from, to, ...page } = await view.diff(
			args.source,
			args.from,
			args.to ?? undefined,
			pageRequest(args),
		);
		return { source, from, to, changes: connectionOf(page, view, args) };
	}
}
