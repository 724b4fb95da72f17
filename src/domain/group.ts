import { z } from "zod";

/** What of a source is indexed and how. Every source has a group `default`. */
export const groupSchema = z.object({
	source: z.string(),
	name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes"),
	include: z.array(z.string()).default(["**"]),
	exclude: z.array(z.string()).default([]),
	grouping: z.enum(["file", "folder", "custom"]).default("file"),
	indexing: z.object({
		/** The concrete embedding model's id, recorded when the group is created. */
		model: z.string(),
		/** Characters. */
		chunkSize: z.number().int().min(200).max(20_000).default(1_200),
		overlap: z.number().int().min(0).max(2_000).default(150),
	}),
	retention: z
		.object({
			/** How many published commits stay queryable; unset: all. */
			maxVersions: z.number().int().min(1).optional(),
			/** Seconds that a superseded version stays queryable; unset: for ever. */
			ttl: z.number().int().min(0).optional(),
		})
		.default({}),
});
export type Group = z.infer<typeof groupSchema>;
