import { registerEnumType } from "@nestjs/graphql";
import { EDGE_KINDS, ENTITY_KINDS } from "../../../domain/entities.js";
import { CHUNK_KINDS } from "../../../domain/mined-file.js";
import { INGESTION_STATUSES } from "../../../services/viewing/lode-view.js";

/** GraphQL's names are in capitals; their values are the words of the domain. */
const inCapitals = <T extends string>(words: readonly T[]): Readonly<Record<string, T>> =>
	Object.fromEntries(words.map((word) => [word.toUpperCase().replaceAll("-", "_"), word]));

const named = <T extends string>(
	name: string,
	words: readonly T[],
	description: string,
): Readonly<Record<string, T>> => {
	const values = inCapitals(words);
	registerEnumType(values, { name, description });
	return values;
};

export const EntityKindEnum = named("EntityKind", ENTITY_KINDS, "What an entity of the graph is.");
export const EdgeKindEnum = named("EdgeKind", EDGE_KINDS, "What an edge of the graph says.");
export const ChunkKindEnum = named("ChunkKind", CHUNK_KINDS, "What a chunk of text is.");
export const DirectionEnum = named(
	"Direction",
	["out", "in"] as const,
	"OUT: edges that leave. IN: edges that arrive.",
);
export const LineageEnum = named(
	"LineageDirection",
	["up", "down"] as const,
	"UP: what it is made of. DOWN: what is made of it.",
);
export const ChangeEnum = named("ChangeKind", ["added", "removed", "changed"] as const, "What became of an entity.");
export const SourceKindEnum = named(
	"SourceKind",
	["git", "folder", "lakefs"] as const,
	"Where a source's commits come from.",
);
export const IngestionStatusEnum = named(
	"IngestionStatus",
	INGESTION_STATUSES,
	"How far an ingestion came. PARKED ones failed and can be retried.",
);
export const StageStateEnum = named(
	"StageState",
	["done", "running", "pending", "failed"] as const,
	"How far a stage of an ingestion is.",
);
export const CommandKindEnum = named(
	"CommandKind",
	[
		...(["create-source", "delete-source", "ingest", "retry", "cancel", "verify", "collect-garbage"] as const),
		...(["create-group", "update-group", "delete-group"] as const),
	],
	"What was asked for.",
);
export const CommandStatusEnum = named(
	"CommandStatus",
	["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"] as const,
	"PENDING: accepted, waits for its turn or for a worker.",
);
export const SourcePolicyEnum = named(
	"SourcePolicy",
	["every", "head"] as const,
	"Which commits of a branch are ingested.",
);
export const GroupByEnum = named("GroupBy", ["file", "folder", "custom"] as const, "How hits are put together.");
export const GroupStateEnum = named(
	"GroupState",
	["indexed", "reindexing", "deleting"] as const,
	"Whether the index has what the group says.",
);
