import { Args, ArgsType, Context, Field, ID, Parent, Query, ResolveField, Resolver } from "@nestjs/graphql";
import type { Ingestion as IngestionRecord, IngestionStatus } from "../../../services/viewing/lode-view.js";
import type { GraphqlContext } from "../operation.js";
import { connectionOf, pageCost, pageRequest } from "../relay.js";
import { IngestionStatusEnum } from "./enums.js";
import { Ingestion, IngestionConnection, Progress, Stage, Waiting } from "./ingestion.types.js";
import { SourcePagedReadArgs } from "./paged-args.js";
import { ReadArgs } from "./read-args.js";
import { stagesOf } from "./stages.js";

@ArgsType()
class IngestionsArgs extends SourcePagedReadArgs {
	@Field(() => [IngestionStatusEnum], { nullable: true })
	status?: IngestionStatus[];
}

@ArgsType()
class IngestionArgs extends ReadArgs {
	@Field(() => ID)
	id!: string;
}

@Resolver(() => Ingestion)
export class IngestionsResolver {
	@Query(() => IngestionConnection, { complexity: pageCost, description: "Newest first." })
	async ingestions(@Context() { read }: GraphqlContext, @Args({ type: () => IngestionsArgs }) args: IngestionsArgs) {
		const view = await read.view();
		const page = await view.ingestions({ source: args.source, status: args.status }, pageRequest(args));
		return connectionOf(page, view, args);
	}

	@Query(() => Ingestion)
	async ingestion(@Context() { read }: GraphqlContext, @Args({ type: () => IngestionArgs }) { id }: IngestionArgs) {
		return (await read.view()).ingestion(id);
	}

	@ResolveField(() => Progress, {
		nullable: true,
		complexity: 50,
		description: "Asked from its workflow, while it runs.",
	})
	async progress(@Context() { read }: GraphqlContext, @Parent() ingestion: IngestionRecord) {
		return (await read.progress(ingestion))?.progress ?? null;
	}

	@ResolveField(() => [Stage], { complexity: 50 })
	async stages(@Context() { read }: GraphqlContext, @Parent() ingestion: IngestionRecord) {
		return stagesOf(ingestion.status, (await read.progress(ingestion))?.progress);
	}

	@ResolveField(() => [Waiting], { complexity: 50, description: "What is being tried again, and why." })
	async waiting(@Context() { read }: GraphqlContext, @Parent() ingestion: IngestionRecord) {
		return (await read.progress(ingestion))?.waiting ?? [];
	}

	@ResolveField(() => String, { nullable: true, description: "Where the Temporal Web UI shows its workflow." })
	workflowUrl(@Context() { read }: GraphqlContext, @Parent() { workflowId, runId }: IngestionRecord) {
		return read.services.views.workflowUrl(workflowId, runId);
	}
}
