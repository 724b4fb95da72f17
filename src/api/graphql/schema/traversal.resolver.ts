import { Args, ArgsType, Context, Field, Int, Query, Resolver } from "@nestjs/graphql";
import type { EdgeKind } from "../../../domain/entities.js";
import type { Walked } from "../../../services/traversal/walk.js";
import type { GraphqlContext } from "../operation.js";
import { within } from "../relay.js";
import { GraphPaths, Traversal } from "./entity.types.js";
import { DirectionEnum, EdgeKindEnum, LineageEnum } from "./enums.js";
import { ReadArgs } from "./read-args.js";

const DEFAULT_DEPTH = 3;
const MOST_DEPTH = 10;
const DEFAULT_EDGES = 100;
const MOST_EDGES = 500;

@ArgsType()
class WalkArgs extends ReadArgs {
	@Field(() => String, { description: "A key, or a name." })
	entity!: string;
	@Field(() => String, { nullable: true })
	source?: string;
	@Field(() => Int, { nullable: true, description: `Steps: 1 to ${MOST_DEPTH}; ${DEFAULT_DEPTH} where omitted.` })
	depth?: number;
	@Field(() => Int, { nullable: true, description: `Edges: 1 to ${MOST_EDGES}; ${DEFAULT_EDGES} where omitted.` })
	first?: number;
}

@ArgsType()
class LineageArgs extends WalkArgs {
	@Field(() => LineageEnum)
	direction!: "up" | "down";
}

@ArgsType()
class PathsArgs extends ReadArgs {
	@Field(() => String, { description: "A key, or a name." })
	from!: string;
	@Field(() => String, { description: "A key, or a name." })
	to!: string;
	@Field(() => String, { nullable: true })
	source?: string;
	@Field(() => [EdgeKindEnum], { nullable: true, description: "Edges that a path may use; all where omitted." })
	kinds?: EdgeKind[];
	@Field(() => DirectionEnum, { nullable: true, description: "How edges are walked; both ways where omitted." })
	direction?: "out" | "in";
	@Field(() => Int, { nullable: true, description: `Edges of a path: 1 to ${MOST_DEPTH}; 6 where omitted.` })
	depth?: number;
	@Field(() => Int, { nullable: true, description: "Paths: 1 to 20; 5 where omitted." })
	first?: number;
}

const boundsOf = ({ depth, first }: WalkArgs) => ({
	depth: within("depth", depth ?? DEFAULT_DEPTH, 1, MOST_DEPTH),
	limit: within("first", first ?? DEFAULT_EDGES, 1, MOST_EDGES),
});

const traversalOf = ({ edges, reached, truncated }: Walked, scope: string | undefined): Traversal => ({
	edges: edges.map(({ via = null, ...edge }) => ({ ...edge, via, scope })),
	reached: [...reached].map(([key, depth]) => ({ key, depth, scope })),
	truncated,
});

/** Each asks layer by layer, so a walk costs some questions to the graph whatever it finds. */
const walkCost = ({ args, childComplexity }: { args: Record<string, unknown>; childComplexity: number }): number =>
	20 + Math.min(Math.max(1, Number(args.first ?? DEFAULT_EDGES)), MOST_EDGES) * Math.max(1, childComplexity);
const pathsCost = ({ args, childComplexity }: { args: Record<string, unknown>; childComplexity: number }): number =>
	100 + Math.min(Math.max(1, Number(args.first ?? 5)), 20) * MOST_DEPTH * Math.max(1, childComplexity);

@Resolver()
export class TraversalResolver {
	@Query(() => Traversal, { complexity: walkCost, description: "Where data comes from, or what is made of it." })
	async lineage(@Context() { read }: GraphqlContext, @Args({ type: () => LineageArgs }) args: LineageArgs) {
		const { entity, direction, source } = args;
		return traversalOf(await (await read.view()).lineage(entity, direction, boundsOf(args), source), source);
	}

	@Query(() => Traversal, {
		complexity: walkCost,
		description:
			"What a change may affect: all that needs the entity or a part of it. Depth 0 is the entity with its parts.",
	})
	async impact(@Context() { read }: GraphqlContext, @Args({ type: () => WalkArgs }) args: WalkArgs) {
		const { entity, source } = args;
		return traversalOf(await (await read.view()).impact(entity, boundsOf(args), source), source);
	}

	@Query(() => GraphPaths, { complexity: pathsCost, description: "The shortest paths between two entities." })
	async paths(
		@Context() { read }: GraphqlContext,
		@Args({ type: () => PathsArgs }) args: PathsArgs,
	): Promise<GraphPaths> {
		const { from, to, source, direction } = args;
		const kinds = args.kinds ?? undefined;
		const steps = { out: direction === "in" ? [] : kinds, in: direction === "out" ? [] : kinds };
		const bounds = {
			depth: within("depth", args.depth ?? 6, 1, MOST_DEPTH),
			limit: within("first", args.first ?? 5, 1, 20),
		};
		const { paths, truncated } = await (await read.view()).paths({ from, to }, steps, bounds, source);
		return {
			paths: paths.map((edges) => ({
				length: edges.length,
				edges: edges.map(({ via = null, ...edge }, at) => ({ ...edge, via, depth: at + 1, scope: source })),
			})),
			truncated,
		};
	}
}
