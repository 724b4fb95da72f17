import { z } from "zod";

export const GROUPINGS = ["file", "folder", "custom"] as const;

const indexing = z.object({
	/** The concrete embedding model's id, recorded when the group is created. */
	model: z.string(),
	/** Characters. */
	chunkSize: z.number().int().min(200).max(20_000).default(1_200),
	overlap: z.number().int().min(0).max(2_000).default(150),
});

/** What of a source a group indexes, and how: a change of it needs a re-index. */
const selection = {
	/** A folder of the source; "" for all of it. */
	path: z.string().default(""),
	/** Globs below `path`. */
	include: z.array(z.string()).default(["**"]),
	exclude: z.array(z.string()).default([]),
	indexing,
};

/**
 * What of a source is indexed and how, as it is stored. Every source has a group `default`. Definitions of earlier versions parse; what users
 * give is checked more strictly (group-input.ts).
 */
export const groupSchema = z.object({
	source: z.string(),
	name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes"),
	...selection,
	/** How hits are put together. `custom`: by the first of `rules` one of whose globs matches. */
	grouping: z.enum(GROUPINGS).default("file"),
	rules: z.array(z.object({ name: z.string(), globs: z.array(z.string()) })).default([]),
	retention: z
		.object({
			/** How many published commits stay queryable; unset: all. */
			maxVersions: z.number().int().min(1).optional(),
			/** Seconds that a superseded version stays queryable; unset: for ever. */
			ttl: z.number().int().min(0).optional(),
		})
		.default({}),
	/** While the index does not have what the group says yet. */
	reindex: z
		.object({
			/** What it has until then; unset: nothing of the group. */
			serves: z.object(selection).optional(),
			/** The group is gone afterwards. */
			deleting: z.literal(true).optional(),
			/** The caches hold what it takes: the source's next ingestion switches. */
			ready: z.literal(true).optional(),
		})
		.optional(),
});
export type Group = z.infer<typeof groupSchema>;
export type GroupSelection = Pick<Group, "path" | "include" | "exclude" | "indexing">;

export const DEFAULT_GROUP = "default";
