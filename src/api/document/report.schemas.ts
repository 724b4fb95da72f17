import { z } from "zod";
import type { Tally } from "../../domain/digest.js";
import type { Entity } from "../../domain/entities.js";
import { GROUPINGS } from "../../domain/group.js";
import type {
	DiffReport,
	GraphReport,
	SourceLag,
	SourceReport,
	StatusReport,
	Waiting,
} from "../../services/reports.js";
import { type ArchivedFile, INGESTION_STATUSES } from "../../services/viewing/lode-view.js";
import type { FieldsOf } from "./fields-of.js";

type Ingestion = StatusReport["ingestions"][number];
type Stats = NonNullable<Ingestion["stats"]>;

/** The answers of reads, as reports.ts has them. Objects may get further fields: clients that were made before have to live with them. */

const count = z.int().min(0);
const time = z.string().describe("ISO 8601, UTC.");
const failure = z
	.looseObject({ code: z.string(), message: z.string(), next: z.string().optional() })
	.meta({ id: "Failure" });

export const sourceSchema = z
	.looseObject({
		id: z.string(),
		kind: z.enum(["git", "folder", "lakefs"]),
		address: z.string(),
		branch: z.string(),
		policy: z.enum(["every", "head"]),
		createdAt: time,
	})
	.meta({ id: "Source" });

const lag = z
	.looseObject({
		status: z.enum(["current", "behind", "ahead", "unknown"]),
		head: z.string().nullable(),
		commits: count.nullable().describe("Of the branch, that are not published."),
		since: time.nullable(),
		problem: z.string().nullable().describe("Why the repository did not say."),
	} satisfies FieldsOf<SourceLag>)
	.meta({ id: "SourceLag" });

export const sourceReportSchema = z
	.looseObject({
		...sourceSchema.shape,
		removing: z.literal(true).optional(),
		commit: z.string().nullable(),
		snapshot: count.nullable(),
		publishedAt: time.nullable(),
		model: z.string(),
		files: count,
		entities: count,
		chunks: count,
		webhooks: count.describe("That were dispatched to it since it was added."),
		lastWebhookAt: time.nullable(),
		lag: lag.optional().describe("Where it was asked for."),
	} satisfies FieldsOf<SourceReport>)
	.meta({ id: "SourceReport" });
export const sourcesSchema = z.looseObject({ sources: z.array(sourceReportSchema) }).meta({ id: "Sources" });

const indexing = z.looseObject({ model: z.string(), chunkSize: count, overlap: count });
const selection = { path: z.string(), include: z.array(z.string()), exclude: z.array(z.string()), indexing };
export const groupSchema = z
	.looseObject({
		id: z.string().describe("<source>:<name>"),
		source: z.string(),
		name: z.string(),
		...selection,
		grouping: z.enum(GROUPINGS),
		rules: z.array(z.looseObject({ name: z.string(), globs: z.array(z.string()) })),
		retention: z.looseObject({ maxVersions: count.optional(), ttl: count.optional() }),
		state: z.enum(["indexed", "reindexing", "deleting"]).describe("Whether the index has what the group says."),
		serves: z.looseObject(selection).nullable().describe("What the index has until it is re-indexed."),
	})
	.meta({ id: "Group" });
export const groupsSchema = z.looseObject({ groups: z.array(groupSchema) }).meta({ id: "Groups" });

const progress = z
	.looseObject({
		stage: z.string(),
		filesDone: count,
		filesTotal: count,
		chunks: count,
		embedded: count,
		reused: count,
		detail: z.string(),
	})
	.meta({ id: "Progress" });

const tally = z.looseObject({ count, digest: z.string() } satisfies FieldsOf<Tally>).meta({ id: "Tally" });
const stats = z
	.looseObject({
		files: z.looseObject({ added: count, changed: count, removed: count, failed: count } satisfies FieldsOf<
			Stats["files"]
		>),
		entities: count,
		chunks: count,
		embedded: count,
		reused: count,
	} satisfies FieldsOf<Stats>)
	.meta({ id: "IngestionStats" });
const waiting = z
	.looseObject({
		activity: z.string(),
		attempt: count,
		code: z.string().optional(),
		message: z.string(),
	} satisfies FieldsOf<Waiting>)
	.meta({ id: "Waiting" });

const ingestion = z
	.looseObject({
		id: z.string(),
		seq: count,
		source: z.string(),
		commit: z.string(),
		baseCommit: z.string().optional().describe("The last published commit when it began."),
		baseSeq: count.optional(),
		recipe: z.string(),
		status: z.enum(INGESTION_STATUSES),
		workflowId: z.string(),
		runId: z.string(),
		startedAt: time,
		endedAt: time.optional(),
		snapshot: count.optional(),
		stats: stats.optional(),
		failure: failure.optional(),
		totals: z
			.looseObject({ catalog: tally, graph: tally, vectors: tally, artifacts: tally } satisfies FieldsOf<
				NonNullable<Ingestion["totals"]>
			>)
			.optional(),
		progress: progress.optional(),
		waiting: z.array(waiting).optional().describe("Activities that failed and are tried again."),
	} satisfies FieldsOf<Ingestion>)
	.meta({ id: "Ingestion" });
export const statusSchema = z
	.looseObject({
		ingestions: z.array(ingestion),
		parked: count,
		temporalUi: z.string().nullable(),
		next: z
			.string()
			.nullable()
			.optional()
			.describe("Where a page was asked for: `after` of the next one; null: there is none."),
	} satisfies FieldsOf<StatusReport>)
	.meta({ id: "Status" });

const entity = z
	.looseObject({
		key: z.string(),
		kind: z.string(),
		name: z.string(),
		props: z.record(z.string(), z.unknown()),
		sources: z.array(z.string()),
		origins: z.array(z.string()),
	} satisfies FieldsOf<Entity>)
	.meta({ id: "Entity" });
export const graphSchema = z
	.looseObject({
		snapshot: count,
		entity,
		alternatives: z.array(entity),
		edges: z.array(
			z.looseObject({
				from: z.string(),
				kind: z.string(),
				to: z.string(),
				via: z.string().optional(),
				depth: count,
			}),
		),
		entities: z.record(z.string(), entity),
		truncated: z.boolean(),
	} satisfies FieldsOf<GraphReport>)
	.meta({ id: "GraphReport" });

const change = z
	.looseObject({ key: z.string(), kind: z.string(), name: z.string(), change: z.enum(["added", "removed", "changed"]) })
	.meta({ id: "EntityChange" });
export const diffSchema = z
	.looseObject({
		source: z.string(),
		from: z.string(),
		to: z.string(),
		added: z.array(change),
		removed: z.array(change),
		changed: z.array(change),
	} satisfies FieldsOf<DiffReport>)
	.meta({ id: "DiffReport" });

const page = <T extends z.ZodType>(name: string, item: T) =>
	z
		.looseObject({
			snapshot: count,
			[name]: z.array(item),
			next: z.string().nullable().describe("`after` of the next page; null: there is none."),
		})
		.meta({ id: `${name.charAt(0).toUpperCase()}${name.slice(1)}Page` });

export const eventsSchema = page(
	"events",
	z
		.looseObject({
			id: z.string(),
			position: count,
			stream: z.string(),
			version: count,
			type: z.string(),
			time,
			data: z.record(z.string(), z.unknown()),
			correlationId: z.string(),
			causationId: z.string().nullable(),
			source: z.string().nullable(),
		})
		.meta({ id: "Event" }),
);

export const snapshotsSchema = page(
	"snapshots",
	z
		.looseObject({ number: count, publishedAt: time, source: z.string(), commit: z.string(), ingestion: z.string() })
		.meta({ id: "Snapshot" }),
);

export const artifactsSchema = page(
	"artifacts",
	z
		.looseObject({
			source: z.string(),
			path: z.string(),
			object: z.string().describe("The SHA-256 of its bytes."),
			size: count,
			mode: z.string(),
			mediaType: z.string(),
			language: z.string().nullable(),
			chunks: count,
			skips: z
				.array(z.looseObject({ reason: z.string(), detail: z.string() }))
				.describe("What the miner left out, and why."),
			download: z.string(),
		} satisfies FieldsOf<ArchivedFile & { download: string }>)
		.meta({ id: "Artifact" }),
);
