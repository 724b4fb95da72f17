import { z } from "zod";
import type { SearchHit, SearchReport } from "../../services/reports.js";
import type { HitGroup } from "../../services/search/group-hits.js";
import type { HitContext } from "../../services/search/hit-context.js";
import type { Provenance } from "../../services/search/provenance.js";
import type { FieldsOf } from "./fields-of.js";

/** The answer of a search. */

const count = z.int().min(0);
const contextEntity = { key: z.string(), kind: z.string(), name: z.string() };
const hitContext = z
	.looseObject({
		entity: z.looseObject(contextEntity).nullable().describe("The closest that the graph knows."),
		neighbours: z.array(z.looseObject({ ...contextEntity, edge: z.string(), direction: z.enum(["out", "in"]) })),
	} satisfies FieldsOf<HitContext>)
	.meta({ id: "HitContext" });
const provenance = z
	.looseObject({
		chunk: z.looseObject({ ordinal: count, group: z.string() }),
		file: z.looseObject({ path: z.string(), artifact: z.string().nullable(), blob: z.string().nullable() }),
		commit: z.string().nullable().describe("The commit that brought this version of the chunk."),
		ingestion: z.string(),
		workflowId: z.string().nullable(),
		runId: z.string().nullable(),
		model: z.string(),
	} satisfies FieldsOf<Provenance>)
	.meta({ id: "Provenance" });

const hit = z
	.looseObject({
		id: z.string().describe("Names the chunk by its place; it holds over versions, and `like` takes it."),
		source: z.string(),
		commit: z.string(),
		group: z.string(),
		path: z.string(),
		ordinal: count.describe("Position of the chunk in its file, from 0."),
		startLine: count,
		endLine: count,
		kind: z.string(),
		language: z.string().nullable(),
		symbol: z.string().nullable(),
		score: z.number().describe("0 to 1, comparable within one answer only."),
		certainty: z
			.number()
			.nullable()
			.describe("0 to 1, (1 + cosine) / 2, comparable over answers of one model; null where its model did not rank."),
		model: z.string(),
		text: z.string(),
		highlights: z
			.array(z.looseObject({ start: count, end: count }))
			.describe("Where the question's words stand in the text: UTF-16 units, end exclusive."),
		annotations: z.record(z.string(), z.unknown()).optional().describe("What plugins say of it, by their names."),
		context: hitContext.optional().describe("With context=true."),
		provenance: provenance.optional().describe("With provenance=true."),
	} satisfies FieldsOf<SearchHit>)
	.meta({ id: "SearchHit" });

export const searchSchema = z
	.looseObject({
		snapshot: count,
		model: z.string(),
		tookMs: z.number(),
		hits: z.array(hit).describe("Best first."),
		groups: z
			.array(
				z.looseObject({
					key: z.string().describe("A path, or the name of a rule; hits that no rule takes are in `other`."),
					source: z.string().nullable(),
					score: z.number(),
					hits: z.array(count).describe("Places in `hits`, best first."),
				} satisfies FieldsOf<HitGroup>),
			)
			.optional()
			.describe("Where a grouping was asked for."),
		unavailable: z
			.array(z.looseObject({ model: z.string(), reason: z.string() }))
			.optional()
			.describe("Models in scope whose vectors did not rank."),
		pluginProblems: z.array(z.string()).optional().describe("Hooks of plugins that failed and were left out."),
	} satisfies FieldsOf<SearchReport>)
	.meta({ id: "SearchReport" });
