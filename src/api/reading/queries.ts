import { z } from "zod";
import { CHUNK_KINDS, type ChunkKind } from "../../domain/mined-file.js";
import { INGESTION_STATUSES, type IngestionStatus } from "../../services/viewing/lode-view.js";

/** What the read-only routes take: text from a query string, checked. */

const text = (max: number) => z.string("must be given once").trim().min(1, "must not be empty").max(max, "is too long");
const wholeNumber = (min: number, max: number, otherwise: number) =>
	z
		.string("must be given once")
		.regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`)
		.transform(Number)
		.refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)
		.default(otherwise)
		.meta({ type: "integer", minimum: min, maximum: max });
const at = text(100).optional().describe("A snapshot number, a time (ISO 8601) or a commit; the latest where omitted.");
const source = text(1_000).optional().describe("An id, a unique beginning of one, or an address; all where omitted.");

/** What every read takes: await-visibility.ts has waited by the time a route gets it. */
const visibility = {
	minVisibility: text(100).optional().describe("The visibility_token of a write that the answer has to show."),
	visibilityTimeout: wholeNumber(0, 60, 10).describe("Seconds to wait for it: 0 to 60; 10 where omitted."),
};
const query = <T extends z.ZodRawShape>(shape: T) => z.strictObject({ ...shape, ...visibility });

/** Kinds separated by commas. */
const kinds = text(500)
	.transform((value, context) => {
		const named = value.split(",").map((one) => one.trim());
		if (named.every((one): one is ChunkKind => (CHUNK_KINDS as readonly string[]).includes(one))) return named;
		context.addIssue({ code: "custom", message: `must be of ${CHUNK_KINDS.join(", ")}` });
		return z.NEVER;
	})
	.optional();

/** Names separated by commas. */
const names = text(1_000)
	.transform((value) => value.split(",").flatMap((name) => name.trim() || []))
	.optional();
const yes = z
	.enum(["true", "false"], "must be true or false")
	.transform((value) => value === "true")
	.optional();
/** `NAME=GLOB`, as often as there are rules. */
const rules = z
	.union([z.string(), z.array(z.string()).max(100, "are too many")])
	.transform((value, context) => {
		const pairs = (typeof value === "string" ? [value] : value).map((rule) => {
			const at = rule.indexOf("=");
			return [rule.slice(0, Math.max(0, at)), rule.slice(at + 1)] as const;
		});
		if (pairs.every(([name, glob]) => name !== "" && glob !== "" && name.length <= 200)) return pairs;
		context.addIssue({ code: "custom", message: "must be NAME=GLOB" });
		return z.NEVER;
	})
	.optional();

export const searchQuery = query({
	q: text(10_000).optional(),
	like: text(5_000).optional(),
	source,
	group: text(200).optional(),
	kind: kinds,
	path: text(1_000).optional(),
	limit: wholeNumber(1, 1_000, 10),
	at,
	language: names,
	since: text(100).optional(),
	until: text(100).optional(),
	model: text(500).optional(),
	groupBy: z.enum(["file", "folder", "custom"], "must be file, folder or custom").optional(),
	rule: rules,
	context: yes,
	provenance: yes,
}).refine(({ q, like }) => (q === undefined) !== (like === undefined), {
	error: "must be given once, or like instead of it",
	path: ["q"],
});

export const graphQuery = query({
	entity: text(5_000),
	depth: wholeNumber(0, 6, 1),
	limit: wholeNumber(1, 1_000, 100),
	source,
	at,
});

export const diffQuery = query({ source: text(1_000), from: text(100), to: text(100) });

export const sourcesQuery = query({
	lag: z
		.enum(["true", "false"])
		.default("false")
		.transform((given) => given === "true"),
});

export const groupsQuery = query({ source });
export type GroupsParameters = z.infer<typeof groupsQuery>;
export type SourcesParameters = z.infer<typeof sourcesQuery>;
export const plainQuery = query({});

const after = text(5_000).optional().describe("`next` of the page before.");
const first = wholeNumber(1, 500, 50).describe("1 to 500; 50 where omitted.");
export const eventsQuery = query({
	source: text(1_000).optional().describe("A source's id."),
	stream: text(300).optional(),
	type: names.describe("One type, or several separated by commas."),
	first,
	after,
	at,
});
/** Without any of them the latest and every parked one. */
export const ingestionsQuery = query({
	source,
	status: names
		.refine(
			(all) => all === undefined || all.every((one) => (INGESTION_STATUSES as readonly string[]).includes(one)),
			`must be of ${INGESTION_STATUSES.join(", ")}`,
		)
		.transform((all) => all as IngestionStatus[] | undefined)
		.describe("One status, or several separated by commas."),
	first: first.unwrap().optional().describe("1 to 500; 50 where another parameter is given."),
	after: after.describe("`next` of the page before."),
});
export type IngestionsParameters = z.infer<typeof ingestionsQuery>;
export const snapshotsQuery = query({ source, first, after, at });
export const artifactsQuery = query({ folder: text(4_000).optional(), first, after, at });
export const contentQuery = query({ path: z.string("must be given once").min(1, "must not be empty").max(4_000), at });

export type PlainParameters = z.infer<typeof plainQuery>;
export type EventsParameters = z.infer<typeof eventsQuery>;
export type SnapshotsParameters = z.infer<typeof snapshotsQuery>;
export type ArtifactsParameters = z.infer<typeof artifactsQuery>;
export type ContentParameters = z.infer<typeof contentQuery>;
export type SearchParameters = z.infer<typeof searchQuery>;
export type GraphParameters = z.infer<typeof graphQuery>;
export type DiffParameters = z.infer<typeof diffQuery>;
