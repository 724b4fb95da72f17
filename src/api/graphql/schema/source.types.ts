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

@ObjectType()
export class GroupIndexing {
	@Field()
	model!: string;
	@Field(() => Int, { description: "Characters." })
	chunkSize!: number;
	@Field(() => Int, { description: "Characters." })
	overlap!: number;
}

@ObjectType()
export class GroupRetention {
	@Field(() => Int, { nullable: true, description: "Published commits that stay queryable; null: all." })
	maxVersions!: number | null;
	@Field(() => SafeInt, { nullable: true, description: "Seconds that a superseded version stays; null: for ever." })
	ttl!: number | null;
}

@ObjectType({ description: "What of a source is indexed and how." })
export class Group {
	@Field(() => ID)
	source!: string;
	@Field()
	name!: string;
	@Field(() => [String])
	include!: string[];
	@Field(() => [String])
	exclude!: string[];
	@Field()
	grouping!: string;
	@Field(() => GroupIndexing)
	indexing!: GroupIndexing;
	@Field(() => GroupRetention)
	retention!: GroupRetention;
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
