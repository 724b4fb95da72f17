import { Field, ID, Int, ObjectType } from "@nestjs/graphql";
import { connectionType } from "../relay.js";
import { SafeInt } from "../scalars.js";
import { SourceKindEnum } from "./enums.js";

@ObjectType({ description: "The last published commit of a source in this request's snapshot." })
export class Head {
	@Field()
	commit!: string;
	@Field(() => Int)
	snapshot!: number;
	@Field(() => ID)
	ingestionId!: string;
	@Field(() => SafeInt)
	files!: number;
	@Field(() => SafeInt, { description: "Entity states." })
	entities!: number;
	@Field(() => SafeInt)
	chunks!: number;
}

@ObjectType({ description: "Something whose commits are followed." })
export class Source {
	@Field(() => ID)
	id!: string;
	@Field(() => SourceKindEnum)
	kind!: string;
	@Field()
	address!: string;
	@Field({ description: "Empty for folders." })
	branch!: string;
	@Field({ description: "every: each commit is ingested. head: the newest only." })
	policy!: string;
	@Field()
	createdAt!: string;
}

export const SourceConnection = connectionType(Source, "Source");
