import { Args, ArgsType, Context, Field, Parent, Query, ResolveField, Resolver } from "@nestjs/graphql";
import type { Source as SourceRecord } from "../../../services/viewing/lode-view.js";
import { pageOf } from "../../../services/viewing/page.js";
import type { GraphqlContext } from "../operation.js";
import { connectionOf, pageCost, pageRequest } from "../relay.js";
import { Group } from "./group.types.js";
import { PagedReadArgs } from "./paged-args.js";
import { ReadArgs } from "./read-args.js";
import { Head, Source, SourceConnection } from "./source.types.js";

@ArgsType()
class SourceArgs extends ReadArgs {
	@Field(() => String, { description: "An id, a unique beginning of one, or an address." })
	source!: string;
}

@Resolver(() => Source)
export class SourcesResolver {
	@Query(() => SourceConnection, { complexity: pageCost })
	async sources(@Context() { read }: GraphqlContext, @Args({ type: () => PagedReadArgs }) args: PagedReadArgs) {
		const view = await read.view();
		const { first, after } = pageRequest(args);
		const rest = view.sources().filter(({ id }) => after === undefined || id > after);
		return connectionOf(
			pageOf(rest.slice(0, first + 1), first, ({ id }) => id),
			view,
			args,
		);
	}

	@Query(() => Source)
	async source(@Context() { read }: GraphqlContext, @Args({ type: () => SourceArgs }) { source }: SourceArgs) {
		return (await read.view()).source(source);
	}

	@ResolveField(() => Head, { nullable: true, description: "Null while nothing of it is published." })
	async head(@Context() { read }: GraphqlContext, @Parent() { id }: SourceRecord): Promise<Head | null> {
		const head = await (await read.view()).head(id);
		if (!head) return null;
		const { commit, snapshot, ingestion: ingestionId, totals } = head;
		return {
			commit,
			snapshot,
			ingestionId,
			files: totals.artifacts.count,
			entities: totals.graph.count,
			chunks: totals.vectors.count,
		};
	}

	@ResolveField("groups", () => [Group], { complexity: 10 })
	async groupsOf(@Context() { read }: GraphqlContext, @Parent() { id }: SourceRecord) {
		return (await read.view()).groups(id);
	}
}
