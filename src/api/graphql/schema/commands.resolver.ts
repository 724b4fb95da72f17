import { Args, ArgsType, Context, Field, ID, Int, Mutation, Query, Resolver } from "@nestjs/graphql";
import type { CommandRequest } from "../../../services/commands/command.js";
import { checkedKey } from "../../writing/command-answers.js";
import type { GraphqlContext } from "../operation.js";
import { within } from "../relay.js";
import { Command, commandOf } from "./command.types.js";
import { SourcePolicyEnum } from "./enums.js";

const MOST_WAIT_SECONDS = 300;

@ArgsType()
export class WriteArgs {
	@Field(() => String, {
		nullable: true,
		description: "A repeat with the same key and content starts nothing and is answered about the first one.",
	})
	idempotencyKey?: string;
	@Field(() => Int, {
		nullable: true,
		description:
			"Seconds to wait for the end, up to 300. The answer comes when it ended or they are over: a time-out ends nothing.",
	})
	timeout?: number;
}

@ArgsType()
class CreateSourceArgs extends WriteArgs {
	@Field(() => String)
	target!: string;
	@Field(() => String, { nullable: true })
	ref?: string;
	@Field(() => SourcePolicyEnum, { nullable: true })
	policy?: "every" | "head";
}

@ArgsType()
class SourceWriteArgs extends WriteArgs {
	@Field(() => ID)
	source!: string;
}

@ArgsType()
class IngestArgs extends WriteArgs {
	@Field(() => String, { nullable: true })
	target?: string;
	@Field(() => String, { nullable: true, description: "Instead of a target: a source that is there." })
	source?: string;
	@Field(() => String, { nullable: true, description: "A branch, tag or commit; the head where omitted." })
	ref?: string;
}

@ArgsType()
class IngestionWriteArgs extends WriteArgs {
	@Field(() => ID)
	ingestion!: string;
}

@ArgsType()
class VerifyArgs extends WriteArgs {
	@Field(() => String, { nullable: true })
	source?: string;
	@Field(() => String, { nullable: true })
	at?: string;
}

@ArgsType()
class CommandArgs {
	@Field(() => ID)
	id!: string;
	@Field(() => Int, { nullable: true, description: "Seconds to wait for its end, up to 300." })
	timeout?: number;
}

/** The same commands as REST has, with the same keys. */
@Resolver(() => Command)
export class CommandsResolver {
	@Query(() => Command, { complexity: 100 })
	async command(@Context() { read }: GraphqlContext, @Args({ type: () => CommandArgs }) { id, timeout }: CommandArgs) {
		const { commands } = read.services;
		if (timeout === undefined || timeout === null) return commandOf(await commands.status(id));
		return commandOf(await commands.wait(id, within("timeout", timeout, 0, MOST_WAIT_SECONDS) * 1_000));
	}

	@Mutation(() => Command, { description: "Adds a source, or finds it where it is there." })
	createSource(@Context() context: GraphqlContext, @Args({ type: () => CreateSourceArgs }) args: CreateSourceArgs) {
		return submit(context, "create-source", args);
	}

	@Mutation(() => Command, { description: "Deletes a source and all that came from it." })
	deleteSource(@Context() context: GraphqlContext, @Args({ type: () => SourceWriteArgs }) args: SourceWriteArgs) {
		return submit(context, "delete-source", args);
	}

	@Mutation(() => Command, { description: "Ingests the commit that a ref names now." })
	ingest(@Context() context: GraphqlContext, @Args({ type: () => IngestArgs }) args: IngestArgs) {
		return submit(context, "ingest", args);
	}

	@Mutation(() => Command, { description: "Tries an ingestion that was parked, cancelled or abandoned again." })
	retry(@Context() context: GraphqlContext, @Args({ type: () => IngestionWriteArgs }) args: IngestionWriteArgs) {
		return submit(context, "retry", args);
	}

	@Mutation(() => Command, { description: "Stops an ingestion and discards what it staged." })
	cancel(@Context() context: GraphqlContext, @Args({ type: () => IngestionWriteArgs }) args: IngestionWriteArgs) {
		return submit(context, "cancel", args);
	}

	@Mutation(() => Command, { description: "Recomputes every digest of a snapshot." })
	verify(@Context() context: GraphqlContext, @Args({ type: () => VerifyArgs }) args: VerifyArgs) {
		return submit(context, "verify", args);
	}

	@Mutation(() => Command, {
		description: "Deletes versions that no retention keeps, and bytes that nothing refers to.",
	})
	collectGarbage(@Context() context: GraphqlContext, @Args({ type: () => WriteArgs }) args: WriteArgs) {
		return submit(context, "collect-garbage", args);
	}
}

export async function submit(
	{ read }: GraphqlContext,
	kind: CommandRequest["kind"],
	{ idempotencyKey, timeout, ...given }: WriteArgs,
): Promise<ReturnType<typeof commandOf>> {
	const { commands } = read.services;
	const seconds =
		timeout === undefined || timeout === null ? undefined : within("timeout", timeout, 0, MOST_WAIT_SECONDS);
	// As REST has it: what is not given is not there, so that the same request has the same fingerprint.
	const request = Object.fromEntries(
		Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
	);
	const { report } = await commands.submit(
		{ kind, ...request } as CommandRequest,
		checkedKey(idempotencyKey ?? undefined),
	);
	return commandOf(seconds === undefined ? report : await commands.wait(report.id, seconds * 1_000));
}
