import { z } from "zod";
import { EDGE_KINDS, ENTITY_KINDS, type Entity } from "../domain/entities.js";
import type { NeighboursReport } from "../services/reports.js";

/** What several tools take and give. Descriptions are for models. */

const text = (max: number) => z.string().trim().min(1).max(max);

export const at = text(100)
	.optional()
	.describe(
		"As of then: a snapshot number, an ISO 8601 time, or a commit id (7 digits or more). Default: the latest snapshot.",
	);
export const source = text(1_000)
	.optional()
	.describe(
		"Only this source: its id, a unique beginning of it, or its address (see list_sources). Default: all sources.",
	);
export const entityName = text(5_000).describe(
	"The key of an entity, e.g. data_model:shop-1234:customers, or its name, e.g. customers or Client.send.",
);
export const path = (what: string) => text(4_096).describe(what);
export const count = (max: number, otherwise: number, what: string) =>
	z.int().min(1).max(max).default(otherwise).describe(what);
export const edgeKinds = z.array(z.enum(EDGE_KINDS)).min(1).max(EDGE_KINDS.length).optional();
export const words = text(8_000);

export const snapshot = z.int().describe("The number of the snapshot that all of this is from.");
export const truncated = z.boolean().describe("There is more than this.");

export const brief = z.object({ key: z.string(), kind: z.enum(ENTITY_KINDS), name: z.string() });
export const entity = z.object({
	...brief.shape,
	props: z.record(z.string(), z.unknown()).describe("Long values are cut."),
	sources: z.array(z.string()),
	origins: z
		.array(z.string())
		.describe("The files, commits and folders that state it, e.g. file:src/a.ts; at most 20."),
});
export const edge = z.object({
	from: z.string(),
	kind: z.enum(EDGE_KINDS),
	to: z.string(),
	via: z.string().optional().describe("The name that led from one to the other."),
});

type Brief = z.input<typeof brief>;

export const briefOf = ({ key, kind, name }: Entity): Brief => ({ key, kind, name });
export const edgeOf = ({ from, kind, to, via }: NeighboursReport["edges"][number]): z.input<typeof edge> => ({
	...{ from, kind, to },
	...(via !== undefined && { via }),
});

const MAX_STRING = 2_000;
const MAX_ITEMS = 50;
const MAX_DEPTH = 4;

export function entityOf(found: Entity): z.input<typeof entity> {
	return {
		...briefOf(found),
		props: Object.fromEntries(
			Object.entries(found.props)
				.slice(0, MAX_ITEMS)
				.map(([name, value]) => [name, cut(value, 1)]),
		),
		sources: found.sources.slice(0, MAX_ITEMS),
		origins: found.origins.slice(0, 20),
	};
}

function cut(value: unknown, depth: number): unknown {
	if (typeof value === "string") return value.length > MAX_STRING ? `${value.slice(0, MAX_STRING)}…` : value;
	if (typeof value !== "object" || value === null) return value;
	if (depth >= MAX_DEPTH) return "…";
	if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => cut(item, depth + 1));
	const entries = Object.entries(value).slice(0, MAX_ITEMS);
	return Object.fromEntries(entries.map(([name, inner]) => [name, cut(inner, depth + 1)]));
}
