import { Field, ID, Int, ObjectType } from "@nestjs/graphql";
import { connectionType } from "../relay.js";
import { SafeInt } from "../scalars.js";
import { IngestionStatusEnum, StageStateEnum } from "./enums.js";

@ObjectType()
export class Failure {
	@Field()
	code!: string;
	@Field()
	message!: string;
	@Field(() => String, { nullable: true, description: "What can be done about it." })
	next!: string | null;
}

@ObjectType()
export class FileCounts {
	@Field(() => SafeInt)
	added!: number;
	@Field(() => SafeInt)
	changed!: number;
	@Field(() => SafeInt)
	removed!: number;
	@Field(() => SafeInt)
	failed!: number;
}

@ObjectType()
export class IngestionStats {
	@Field(() => FileCounts)
	files!: FileCounts;
	@Field(() => SafeInt, { description: "Entity states staged." })
	entities!: number;
	@Field(() => SafeInt)
	chunks!: number;
	@Field(() => SafeInt, { description: "Texts sent to the embedding model." })
	embedded!: number;
	@Field(() => SafeInt, { description: "Chunks whose embedding came from the cache." })
	reused!: number;
}

@ObjectType({ description: "An activity that failed and is tried again." })
export class Waiting {
	@Field()
	activity!: string;
	@Field(() => Int)
	attempt!: number;
	@Field(() => String, { nullable: true })
	code!: string | null;
	@Field()
	message!: string;
}

@ObjectType({ description: "How far a running ingestion is." })
export class Progress {
	@Field()
	stage!: string;
	@Field(() => SafeInt)
	filesDone!: number;
	@Field(() => SafeInt)
	filesTotal!: number;
	@Field(() => SafeInt)
	chunks!: number;
	@Field(() => SafeInt)
	embedded!: number;
	@Field(() => SafeInt)
	reused!: number;
	@Field()
	detail!: string;
	@Field(() => Failure, { nullable: true, description: "Why it is being discarded." })
	failure!: Failure | null;
}

@ObjectType()
export class Stage {
	@Field()
	name!: string;
	@Field(() => StageStateEnum)
	state!: string;
}

@ObjectType({ description: "The durable work that takes a source from its last published commit to another one." })
export class Ingestion {
	@Field(() => ID)
	id!: string;
	@Field(() => SafeInt)
	seq!: number;
	@Field(() => ID)
	source!: string;
	@Field()
	commit!: string;
	@Field(() => String, {
		nullable: true,
		description: "The published commit that it started from; null for the first.",
	})
	baseCommit!: string | null;
	@Field(() => IngestionStatusEnum)
	status!: string;
	@Field()
	startedAt!: string;
	@Field(() => String, { nullable: true })
	endedAt!: string | null;
	@Field(() => Int, { nullable: true, description: "The snapshot that it published." })
	snapshot!: number | null;
	@Field(() => IngestionStats, { nullable: true })
	stats!: IngestionStats | null;
	@Field(() => Failure, { nullable: true })
	failure!: Failure | null;
	@Field()
	workflowId!: string;
	@Field()
	runId!: string;
}

export const IngestionConnection = connectionType(Ingestion, "Ingestion");
