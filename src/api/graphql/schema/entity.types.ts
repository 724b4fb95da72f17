import { Field, ID, Int, ObjectType } from "@nestjs/graphql";
import { connectionType } from "../relay.js";
import { JsonObjectScalar } from "../scalars.js";
import { ChangeEnum, DirectionEnum, EdgeKindEnum, EntityKindEnum } from "./enums.js";

@ObjectType({ description: "A thing in the graph: what all origins that state it say of it." })
export class Entity {
	@Field(() => ID)
	key!: string;
	@Field(() => EntityKindEnum)
	kind!: string;
	@Field()
	name!: string;
	@Field(() => JsonObjectScalar)
	props!: Record<string, unknown>;
	@Field(() => [ID])
	sources!: string[];
	@Field(() => [String], { description: "The origins that state it, at most 100." })
	origins!: string[];
	/** The source that the question named, if it did: what lies around is looked for there. */
	scope?: string;
}

export const EntityConnection = connectionType(Entity, "Entity");

@ObjectType({ description: "An entity by key or name." })
export class FoundEntity {
	@Field(() => Entity)
	entity!: Entity;
	@Field(() => [Entity], { description: "Others that the name may have meant." })
	alternatives!: Entity[];
}

@ObjectType({ description: "An edge between two entities; names are followed through." })
export class Edge {
	@Field(() => ID)
	from!: string;
	@Field(() => EdgeKindEnum)
	kind!: string;
	@Field(() => ID, { description: "A name that nothing defines is itself an end." })
	to!: string;
	@Field(() => String, { nullable: true, description: "The name that it went through, where it did." })
	via!: string | null;
	@Field(() => Int, { nullable: true, description: "Steps from the start." })
	depth!: number | null;
	scope?: string;
}

@ObjectType({ description: "What lies at the other end of an edge." })
export class Neighbour {
	@Field(() => EdgeKindEnum)
	kind!: string;
	@Field(() => DirectionEnum)
	direction!: string;
	@Field(() => ID)
	key!: string;
	@Field(() => String, { nullable: true, description: "The name that it went through, where it did." })
	via!: string | null;
	scope?: string;
}

@ObjectType()
export class Neighbours {
	@Field(() => [Neighbour])
	nodes!: Neighbour[];
	@Field({ description: "There are more edges than were asked for." })
	truncated!: boolean;
}

@ObjectType()
export class ReachedEntity {
	@Field(() => ID)
	key!: string;
	@Field(() => Int, { description: "Steps from the start." })
	depth!: number;
	scope?: string;
}

@ObjectType({ description: "What a walk through the graph reached, nearest first." })
export class Traversal {
	@Field(() => [Edge])
	edges!: Edge[];
	@Field(() => [ReachedEntity], { description: "The start too, at depth 0." })
	reached!: ReachedEntity[];
	@Field({ description: "There is more than the bounds allowed." })
	truncated!: boolean;
}

@ObjectType()
export class GraphPath {
	@Field(() => Int)
	length!: number;
	@Field(() => [Edge])
	edges!: Edge[];
}

@ObjectType()
export class GraphPaths {
	@Field(() => [GraphPath], { description: "The shortest ones." })
	paths!: GraphPath[];
	@Field({ description: "There may be others." })
	truncated!: boolean;
}

@ObjectType()
export class EntityChange {
	@Field(() => ID)
	key!: string;
	@Field(() => EntityKindEnum)
	kind!: string;
	@Field()
	name!: string;
	@Field(() => ChangeEnum)
	change!: string;
}
