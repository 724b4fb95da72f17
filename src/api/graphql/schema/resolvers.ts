import { ArtifactsResolver } from "./artifacts.resolver.js";
import { CommandsResolver } from "./commands.resolver.js";
import { CommitsResolver } from "./commits.resolver.js";
import { DiffResolver } from "./diff.resolver.js";
import { EdgeResolver, EntitiesResolver, NeighbourResolver, ReachedEntityResolver } from "./entities.resolver.js";
import { EventsResolver } from "./events.resolver.js";
import { GroupsResolver } from "./groups.resolver.js";
import { IngestionsResolver } from "./ingestions.resolver.js";
import { KeysResolver } from "./keys.resolver.js";
import { SearchResolver } from "./search.resolver.js";
import { SourcesResolver } from "./sources.resolver.js";
import { SubscriptionsResolver } from "./subscriptions.resolver.js";
import { TraversalResolver } from "./traversal.resolver.js";

export const RESOLVERS = [
	SourcesResolver,
	CommitsResolver,
	IngestionsResolver,
	EntitiesResolver,
	NeighbourResolver,
	ReachedEntityResolver,
	EdgeResolver,
	TraversalResolver,
	SearchResolver,
	DiffResolver,
	ArtifactsResolver,
	EventsResolver,
	CommandsResolver,
	GroupsResolver,
	KeysResolver,
	SubscriptionsResolver,
];

export const SCHEMA_OPTIONS = { numberScalarMode: "integer" } as const;
