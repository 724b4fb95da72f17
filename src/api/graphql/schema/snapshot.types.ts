import { Field, ID, Int, ObjectType } from "@nestjs/graphql";
import { connectionType } from "../relay.js";

@ObjectType({ description: "What readers see: all that was published when it was taken." })
export class Snapshot {
	@Field(() => Int, { description: "Counts publications; 0 before the first." })
	number!: number;
	@Field({ description: "ISO 8601, UTC." })
	publishedAt!: string;
}

@ObjectType({ description: "A snapshot, and what made it." })
export class PublishedSnapshot extends Snapshot {
	@Field(() => ID)
	ingestionId!: string;
	@Field(() => ID)
	sourceId!: string;
	@Field()
	commit!: string;
}

export const PublishedSnapshotConnection = connectionType(PublishedSnapshot, "PublishedSnapshot");
