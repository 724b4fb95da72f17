import { Args, ArgsType, Context, Field, Float, ID, Int, ObjectType, Query, Resolver } from "@nestjs/graphql";
import type { ChunkKind } from "../../../domain/mined-file.js";
import type { GraphqlContext } from "../operation.js";
import { pageCost, within } from "../relay.js";
import { ChunkKindEnum } from "./enums.js";
import { ReadArgs } from "./read-args.js";

@ObjectType({ description: "A chunk that was found." })
class SearchHit {
	@Field(() => ID)
	source!: string;
	@Field()
	commit!: string;
	@Field()
	path!: string;
	@Field(() => Int)
	startLine!: number;
	@Field(() => Int)
	endLine!: number;
	@Field(() => ChunkKindEnum)
	kind!: string;
	@Field(() => String, { nullable: true })
	symbol!: string | null;
	@Field(() => Float, { description: "0 to 1, comparable within one answer only." })
	score!: number;
	@Field()
	text!: string;
}

@ObjectType()
class SearchResult {
	@Field(() => Int)
	snapshot!: number;
	@Field({ description: "The embedding model that ranked; several joined by a comma; empty where text alone did." })
	model!: string;
	@Field(() => Float, { description: "Milliseconds." })
	tookMs!: number;
	@Field(() => [SearchHit], { description: "Best first." })
	hits!: SearchHit[];
}

@ArgsType()
class SearchArgs extends ReadArgs {
	@Field(() => String)
	text!: string;
	@Field(() => String, { nullable: true })
	source?: string;
	@Field(() => String, { nullable: true })
	group?: string;
	@Field(() => [ChunkKindEnum], { nullable: true })
	kinds?: ChunkKind[];
	@Field(() => String, { nullable: true, description: "A glob over the path." })
	path?: string;
	@Field(() => Int, { nullable: true, description: "1 to 100; 10 where omitted." })
	first?: number;
}

@Resolver()
export class SearchResolver {
	@Query(() => SearchResult, { complexity: (options) => 100 + pageCost(options) })
	async search(@Context() { read }: GraphqlContext, @Args({ type: () => SearchArgs }) args: SearchArgs) {
		const { text, source, group, path } = args;
		const limit = within("first", args.first ?? 10, 1, 100);
		return (await read.view()).search({
			text,
			limit,
			source: source ?? undefined,
			group: group ?? undefined,
			path: path ?? undefined,
			kinds: args.kinds ?? undefined,
		});
	}
}
