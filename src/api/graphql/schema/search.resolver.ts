import { Args, ArgsType, Context, Field, Info, Int, Query, Resolver } from "@nestjs/graphql";
import type { GraphQLResolveInfo } from "graphql";
import { parseResolveInfo, type ResolveTree } from "graphql-parse-resolve-info";
import { LodeError } from "../../../domain/errors.js";
import type { ChunkKind } from "../../../domain/mined-file.js";
import { groupingOf } from "../../../services/search/group-hits.js";
import type { GraphqlContext } from "../operation.js";
import { pageCost, within } from "../relay.js";
import { ChunkKindEnum, GroupByEnum } from "./enums.js";
import { ReadArgs } from "./read-args.js";
import { GroupingRule, SearchResult } from "./search.types.js";

@ArgsType()
class SearchArgs extends ReadArgs {
	@Field(() => String, { nullable: true, description: "Either this or `like` has to be given." })
	text?: string;
	@Field(() => String, {
		nullable: true,
		description: "The id of a hit, a path, or an entity by key or name: what is like it is found.",
	})
	like?: string;
	@Field(() => String, { nullable: true })
	source?: string;
	@Field(() => String, { nullable: true })
	group?: string;
	@Field(() => [ChunkKindEnum], { nullable: true })
	kinds?: ChunkKind[];
	@Field(() => [String], { nullable: true })
	languages?: string[];
	@Field(() => String, { nullable: true, description: "A glob over the path." })
	path?: string;
	@Field(() => String, { nullable: true, description: "Only what came after this snapshot, time or commit." })
	since?: string;
	@Field(() => String, { nullable: true, description: "Only what came by this snapshot, time or commit." })
	until?: string;
	@Field(() => String, { nullable: true, description: "Only groups that this embedding model indexes." })
	model?: string;
	@Field(() => GroupByEnum, { nullable: true })
	groupBy?: "file" | "folder" | "custom";
	@Field(() => [GroupingRule], { nullable: true, description: "For `groupBy: CUSTOM`." })
	rules?: GroupingRule[];
	@Field(() => Int, { nullable: true, description: "1 to 100; 10 where omitted." })
	first?: number;
}

@Resolver()
export class SearchResolver {
	@Query(() => SearchResult, { complexity: (options) => 100 + pageCost(options) })
	async search(
		@Context() { read }: GraphqlContext,
		@Args({ type: () => SearchArgs }) args: SearchArgs,
		@Info() info: GraphQLResolveInfo,
	) {
		const { text, like, source, group, path, kinds, languages, since, until, model, groupBy, rules } = args;
		if (!text?.trim() && !like)
			throw new LodeError("USAGE", "a search needs words or an example", { next: "give text, or like" });
		return (await read.view()).search({
			text: text ?? "",
			like: like ?? undefined,
			limit: within("first", args.first ?? 10, 1, 100),
			source: source ?? undefined,
			group: group ?? undefined,
			path: path ?? undefined,
			kinds: kinds ?? undefined,
			languages: languages ?? undefined,
			since: since ?? undefined,
			until: until ?? undefined,
			model: model ?? undefined,
			grouping: groupingOf(
				groupBy ?? undefined,
				rules?.map(({ name, glob }) => [name, glob] as const),
			),
			...askedOfHits(info),
		});
	}
}

/** What costs a question of its own is asked only where the operation selects it. */
function askedOfHits(info: GraphQLResolveInfo): { context: boolean; provenance: boolean } {
	const tree = parseResolveInfo(info) as ResolveTree;
	const fields = Object.values(tree.fieldsByTypeName.SearchResult ?? {})
		.filter(({ name }) => name === "hits")
		.flatMap((hits) => Object.values(hits.fieldsByTypeName.SearchHit ?? {}));
	const selects = (field: string) => fields.some(({ name }) => name === field);
	return { context: selects("context"), provenance: selects("provenance") };
}
