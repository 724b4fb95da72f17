import { Args, ArgsType, Context, Field, ID, Int, ObjectType, Query, Resolver } from "@nestjs/graphql";
import type { StoredEvent } from "../../../services/viewing/lode-view.js";
import type { GraphqlContext } from "../operation.js";
import { connectionOf, connectionType, pageCost, pageRequest } from "../relay.js";
import { JsonObjectScalar, SafeInt } from "../scalars.js";
import { PagedReadArgs } from "./paged-args.js";

@ObjectType({ description: "An immutable fact in a stream." })
export class Event {
	@Field(() => ID)
	id!: string;
	@Field(() => SafeInt, { description: "Its place in the log of all streams." })
	position!: number;
	@Field()
	stream!: string;
	@Field(() => Int, { description: "1, 2, 3 … in its stream." })
	version!: number;
	@Field()
	type!: string;
	@Field({ description: "ISO 8601, UTC." })
	time!: string;
	@Field(() => JsonObjectScalar)
	data!: Record<string, unknown>;
	@Field()
	correlationId!: string;
	@Field(() => String, { nullable: true })
	causationId!: string | null;
	@Field(() => ID, { nullable: true })
	source!: string | null;
}

const EventConnection = connectionType(Event, "Event");

@ArgsType()
class EventsArgs extends PagedReadArgs {
	@Field(() => String, { nullable: true, description: "A source's id." })
	source?: string;
	@Field(() => String, { nullable: true })
	stream?: string;
	@Field(() => [String], { nullable: true })
	types?: string[];
}

/** An event as the API shows it. */
export function eventOf({ metadata, ...event }: StoredEvent) {
	const { correlationId, causationId = null, source = null } = metadata;
	return { ...event, correlationId, causationId, source };
}

@Resolver()
export class EventsResolver {
	@Query(() => EventConnection, { complexity: pageCost, description: "In the order of the log." })
	async events(@Context() { read }: GraphqlContext, @Args({ type: () => EventsArgs }) args: EventsArgs) {
		const view = await read.view();
		const filter = {
			source: args.source ?? undefined,
			stream: args.stream ?? undefined,
			types: args.types ?? undefined,
		};
		const { items, ...page } = await view.events(filter, pageRequest(args));
		const shown = items.map(({ cursor, item }) => ({ cursor, item: eventOf(item) }));
		return connectionOf({ items: shown, ...page }, view, args);
	}
}
