import { Args, ArgsType, Context, Field, Int, Parent, Query, ResolveField, Resolver } from "@nestjs/graphql";
import type { EdgeKind, EntityKind } from "../../../domain/entities.js";
import type { GraphqlContext } from "../operation.js";
import { connectionOf, pageCost, pageRequest, within } from "../relay.js";
import { Edge, Entity, EntityConnection, FoundEntity, Neighbour, Neighbours, ReachedEntity } from "./entity.types.js";
import { DirectionEnum, EdgeKindEnum, EntityKindEnum } from "./enums.js";
import { SourcePagedReadArgs } from "./paged-args.js";
import { ReadArgs } from "./read-args.js";

@ArgsType()
class EntityArgs extends ReadArgs {
	@Field(() => String, { description: "A key, or a name." })
	entity!: string;
	@Field(() => String, { nullable: true })
	source?: string;
}

@ArgsType()
class EntitiesArgs extends SourcePagedReadArgs {
	@Field(() => String, { nullable: true })
	name?: string;
	@Field({ nullable: true, description: "`name` is a beginning." })
	prefix?: boolean;
	@Field(() => [EntityKindEnum], { nullable: true })
	kinds?: EntityKind[];
}

@ArgsType()
class NeighboursArgs {
	@Field(() => DirectionEnum, { nullable: true, description: "Both where omitted." })
	direction?: "out" | "in";
	@Field(() => [EdgeKindEnum], { nullable: true })
	kinds?: EdgeKind[];
	@Field(() => Int, { nullable: true, description: "At most this many a direction: 1 to 100; 20 where omitted." })
	first?: number;
}

@Resolver(() => Entity)
export class EntitiesResolver {
	@Query(() => FoundEntity, { complexity: ({ childComplexity }) => 5 + 5 * childComplexity })
	async entity(
		@Context() { read }: GraphqlContext,
		@Args({ type: () => EntityArgs }) { entity: wanted, source }: EntityArgs,
	) {
		const { entity, alternatives } = await (await read.view()).entity(wanted, source);
		const scoped = (one: typeof entity) => ({ ...one, scope: source });
		return { entity: scoped(entity), alternatives: alternatives.map(scoped) };
	}

	@Query(() => EntityConnection, { complexity: pageCost, description: "By name and key." })
	async entities(@Context() { read }: GraphqlContext, @Args({ type: () => EntitiesArgs }) args: EntitiesArgs) {
		const view = await read.view();
		const { source, name, prefix, kinds } = args;
		const { items, more } = await view.entities({ source, name, prefix: prefix ?? false, kinds }, pageRequest(args));
		const scoped = items.map(({ cursor, item }) => ({ cursor, item: { ...item, scope: source } }));
		return connectionOf({ items: scoped, more }, view, args);
	}

	@ResolveField(() => Neighbours, { complexity: pageCost, description: "What is one edge away." })
	async neighbours(
		@Context() { read }: GraphqlContext,
		@Parent() { key, scope }: Entity,
		@Args({ type: () => NeighboursArgs }) { direction, kinds, first = 20 }: NeighboursArgs,
	): Promise<Neighbours> {
		const limit = within("first", first ?? 20, 1, 100);
		const directions = direction ? [direction] : (["out", "in"] as const);
		const found = await Promise.all(
			directions.map(async (towards) => {
				const options = { source: scope, direction: towards, kinds: kinds ?? undefined, limit: limit + 1 };
				const edges = await read.neighbours(options).load(key);
				const nodes = edges.slice(0, limit).map(({ kind, from, to, via = null }) => ({
					kind,
					direction: towards,
					key: towards === "out" ? to : from,
					via,
					scope,
				}));
				return { nodes, truncated: edges.length > limit };
			}),
		);
		return { nodes: found.flatMap(({ nodes }) => nodes), truncated: found.some(({ truncated }) => truncated) };
	}
}

@Resolver(() => Neighbour)
export class NeighbourResolver {
	@ResolveField(() => Entity, { nullable: true, description: "Null where it is a name that nothing defines." })
	entity(@Context() context: GraphqlContext, @Parent() { key, scope }: Neighbour) {
		return entityAt(context, key, scope);
	}
}

@Resolver(() => ReachedEntity)
export class ReachedEntityResolver {
	@ResolveField(() => Entity, { nullable: true })
	entity(@Context() context: GraphqlContext, @Parent() { key, scope }: ReachedEntity) {
		return entityAt(context, key, scope);
	}
}

@Resolver(() => Edge)
export class EdgeResolver {
	@ResolveField(() => Entity, { nullable: true })
	fromEntity(@Context() context: GraphqlContext, @Parent() { from, scope }: Edge) {
		return entityAt(context, from, scope);
	}

	@ResolveField(() => Entity, { nullable: true })
	toEntity(@Context() context: GraphqlContext, @Parent() { to, scope }: Edge) {
		return entityAt(context, to, scope);
	}
}

async function entityAt({ read }: GraphqlContext, key: string, scope: string | undefined) {
	const entity = await read.entities(scope).load(key);
	return entity ? { ...entity, scope } : null;
}
