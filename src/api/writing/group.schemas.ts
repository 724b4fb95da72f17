import { z } from "zod";
import { GROUPINGS } from "../../domain/group.js";

/**
 * What groups take, for the document. What is checked is said by the service (domain/group-input.ts), with a message for each field that
 * is wrong.
 */
const fields = {
	path: z.string().max(1_000).optional().describe('A folder of the source; "" for all of it.'),
	include: z.array(z.string()).min(1).max(100).optional().describe("Globs below path; one at least."),
	exclude: z.array(z.string()).max(100).optional(),
	grouping: z.enum(GROUPINGS).optional().describe("How hits are put together."),
	rules: z
		.array(z.object({ name: z.string().min(1).max(100), globs: z.array(z.string()).min(1).max(100) }))
		.max(50)
		.optional()
		.describe("Of grouping custom: the first of whose globs one matches."),
	indexing: z
		.object({
			model: z
				.string()
				.optional()
				.describe("An embedding model that the configuration serves, or `configured`: the one that it names now."),
			chunkSize: z.int().min(200).max(20_000).optional().describe("Characters."),
			overlap: z.int().min(0).max(2_000).optional().describe("Characters, half of chunkSize at most."),
		})
		.optional(),
	retention: z
		.object({
			maxVersions: z.int().min(1).max(1_000_000_000).nullable().optional(),
			ttl: z.int().min(0).max(10_000_000_000).nullable().optional().describe("Seconds."),
		})
		.optional()
		.describe("null: without a bound."),
};

export const newGroupSchema = z
	.object({
		source: z.string().min(1).max(1_000).describe("An id, a unique beginning of one, or an address."),
		name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
		...fields,
	})
	.meta({ id: "NewGroup" });

/** What is left out stays as it is. */
export const groupChangeSchema = z.object(fields).meta({ id: "GroupChange" });
