import { Args, ArgsType, Context, Field, ID, Int, ObjectType, Resolver, Subscription } from "@nestjs/graphql";
import type { StoredEvent } from "../../../services/viewing/lode-view.js";
import { watchIngestion } from "../../../services/viewing/watch-ingestion.js";
import type { GraphqlContext } from "../operation.js";
import { SafeInt } from "../scalars.js";
import { stoppable } from "../subscriptions/stoppable.js";
import { IngestionStatusEnum } from "./enums.js";
import { Event, eventOf } from "./events.resolver.js";
import { Failure, Progress, Stage } from "./ingestion.types.js";
import { PublishedSnapshot } from "./snapshot.types.js";
import { stagesOf } from "./stages.js";

@ObjectType({ description: "How far an ingestion is." })
class IngestionProgress {
	@Field(() => ID)
	ingestion!: string;
	@Field(() => ID)
	source!: string;
	@Field()
	commit!: string;
	@Field(() => IngestionStatusEnum)
	status!: string;
	@Field(() => Progress, { nullable: true })
	progress!: Progress | null;
	@Field(() => [Stage])
	stages!: Stage[];
	@Field(() => Failure, { nullable: true })
	failure!: Failure | null;
	@Field(() => Int, { nullable: true })
	snapshot!: number | null;
}

@ArgsType()
class IngestionProgressArgs {
	@Field(() => ID, { description: "An ingestion, or a command that starts one." })
	id!: string;
}

@ArgsType()
class FollowArgs {
	@Field(() => ID, { nullable: true, description: "Only what is about this source." })
	source?: string;
	@Field(() => SafeInt, {
		nullable: true,
		description: "A position of the log: what came after it comes first. From now on where omitted.",
	})
	after?: number;
}

@ArgsType()
class FollowEventsArgs extends FollowArgs {
	@Field(() => String, { nullable: true })
	stream?: string;
	@Field(() => [String], { nullable: true })
	types?: string[];
}

/** What comes over a WebSocket: see subscriptions/socket.ts, which ends each of them. */
@Resolver()
export class SubscriptionsResolver {
	@Subscription(() => IngestionProgress, {
		description: "Whenever it comes forward; completes when the ingestion has ended.",
		resolve: (value: unknown) => value,
	})
	ingestionProgress(
		@Context() { read, ending }: GraphqlContext,
		@Args({ type: () => IngestionProgressArgs }) { id }: IngestionProgressArgs,
	) {
		return stoppable(progressOf(watchIngestion(read.services, id, ending.signal)), ending);
	}

	@Subscription(() => PublishedSnapshot, { resolve: (value: unknown) => value })
	snapshotPublished(
		@Context() { read, ending }: GraphqlContext,
		@Args({ type: () => FollowArgs }) { source, after }: FollowArgs,
	) {
		const { views } = read.services;
		const filter = { source: source ?? undefined, types: ["IngestionPublished"] };
		return stoppable(publishedIn(views.follow(filter, after ?? undefined, ending.signal)), ending);
	}

	@Subscription(() => Event, { description: "The log as it grows.", resolve: (value: unknown) => value })
	eventAppended(
		@Context() { read, ending }: GraphqlContext,
		@Args({ type: () => FollowEventsArgs }) args: FollowEventsArgs,
	) {
		const filter = {
			source: args.source ?? undefined,
			stream: args.stream ?? undefined,
			types: args.types ?? undefined,
		};
		return stoppable(shown(read.services.views.follow(filter, args.after ?? undefined, ending.signal)), ending);
	}
}

async function* progressOf(watched: ReturnType<typeof watchIngestion>) {
	for await (const { ingestion, progress } of watched) {
		const { id, source, commit, status, failure = null, snapshot = null } = ingestion;
		const stages = stagesOf(status, progress);
		yield { ingestion: id, source, commit, status, progress: progress ?? null, stages, failure, snapshot };
	}
}

async function* publishedIn(events: AsyncGenerator<StoredEvent, void, void>) {
	for await (const event of events) yield publishedOf(event);
}

async function* shown(events: AsyncGenerator<StoredEvent, void, void>) {
	for await (const event of events) yield eventOf(event);
}

/** From the event alone: its ingestion is gone where the source was deleted since. */
function publishedOf({ data, metadata }: StoredEvent) {
	const { number, publishedAt } = data.snapshot as { number: number; publishedAt: string };
	const { correlationId: ingestionId, source: sourceId } = metadata;
	return { number, publishedAt, ingestionId, sourceId: sourceId ?? "", commit: String(data.commit) };
}
