import { Field, ID, ObjectType } from "@nestjs/graphql";
import type { CommandReport } from "../../../services/commands/command.js";
import { JsonObjectScalar } from "../scalars.js";
import { CommandKindEnum, CommandStatusEnum } from "./enums.js";
import { Failure, Progress } from "./ingestion.types.js";

@ObjectType()
export class CommandEvent {
	@Field()
	time!: string;
	@Field()
	type!: string;
	@Field(() => JsonObjectScalar)
	data!: object;
}

@ObjectType({ description: "A change that a client asked for, written down before it started." })
export class Command {
	@Field(() => ID)
	id!: string;
	@Field(() => CommandKindEnum)
	kind!: string;
	@Field(() => CommandStatusEnum)
	status!: string;
	@Field(() => JsonObjectScalar)
	request!: object;
	@Field({ description: "The principal that asked for it." })
	by!: string;
	@Field()
	acceptedAt!: string;
	@Field(() => String, { nullable: true })
	finishedAt!: string | null;
	@Field(() => ID, { nullable: true })
	source!: string | null;
	@Field(() => String, { nullable: true })
	commit!: string | null;
	@Field(() => ID, { nullable: true, description: "Null until it began." })
	ingestion!: string | null;
	@Field(() => Progress, { nullable: true })
	progress!: Progress | null;
	@Field(() => String, { nullable: true })
	workflowUrl!: string | null;
	@Field(() => JsonObjectScalar, { nullable: true, description: "What came of it." })
	result!: object | null;
	@Field(() => Failure, { nullable: true })
	failure!: Failure | null;
	@Field({ description: "A read that waits for it sees what the command did." })
	visibilityToken!: string;
	@Field(() => [CommandEvent])
	history!: CommandEvent[];
}

export const commandOf = ({ history, ...report }: CommandReport) => ({ ...report, history: [...history] });
