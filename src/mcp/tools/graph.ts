import { z } from "zod";
import type { Entity } from "../../domain/entities.js";
import type { NeighboursReport } from "../../services/reports.js";
import * as schemas from "../schemas.js";
import { readTool } from "../tool.js";

const alternatives = z.array(schemas.brief).describe("Other entities that the name may have meant.");
const touched = z.array(schemas.brief).describe("What the edges touch.");
const step = schemas.edge.extend({ depth: z.int().describe("Steps from the entity.") });

/** `customers (data_model) DERIVES_FROM stg_orders (data_model)`, with the key where nothing is known of an end. */
function edgeText(
	entities: Readonly<Record<string, Entity>>,
	{ from, kind, to }: NeighboursReport["edges"][number],
): string {
	const end = (key: string) => {
		const found = entities[key];
		return found === undefined ? key : `${found.name} (${found.kind}, ${key})`;
	};
	return `${end(from)} ${kind} ${end(to)}`;
}

function headText(snapshot: number, entity: Entity, others: readonly Entity[]): string {
	const head = `${entity.name} (${entity.kind}), key ${entity.key}, in snapshot ${snapshot}`;
	return others.length === 0 ? head : `${head}\nThe name may also mean: ${others.map(({ key }) => key).join(", ")}`;
}

const MORE = "… there are more: raise the limit or name kinds.";

export const entityTool = readTool({
	name: "entity",
	title: "Look up an entity",
	description:
		"One entity of the knowledge graph with its properties: a file, symbol, data model, column, document, package, contributor, commit and so on.",
	input: z.strictObject({ entity: schemas.entityName, source: schemas.source, at: schemas.at }),
	output: z.object({ snapshot: schemas.snapshot, entity: schemas.entity, alternatives }),
	async run(reader, { entity: wanted, source, at }) {
		const { snapshot, entity, alternatives: others } = await reader.graph(wanted, { depth: 0, source, at });
		const structured = { snapshot, entity: schemas.entityOf(entity), alternatives: others.map(schemas.briefOf) };
		const text = `${headText(snapshot, entity, others)}\n${JSON.stringify(structured.entity, undefined, 1)}`;
		return { text, structured };
	},
});

export const neighboursTool = readTool({
	name: "neighbours",
	title: "What an entity is connected to",
	description:
		"The edges that leave an entity (out), reach it (in), or both, e.g. who CALLS a function, what a file IMPORTS, what a folder CONTAINS.",
	input: z.strictObject({
		entity: schemas.entityName,
		direction: z
			.enum(["out", "in", "both"])
			.default("both")
			.describe("out: edges that leave it; in: edges that reach it."),
		kinds: schemas.edgeKinds.describe("Only these kinds of edges."),
		limit: schemas.count(200, 50, "Edges at most."),
		source: schemas.source,
		at: schemas.at,
	}),
	output: z.object({
		snapshot: schemas.snapshot,
		entity: schemas.brief,
		alternatives,
		edges: z.array(schemas.edge),
		entities: touched,
		truncated: schemas.truncated,
	}),
	async run(reader, { entity: wanted, ...options }) {
		const report = await reader.neighbours(wanted, options);
		const { snapshot, entity, truncated } = report;
		const structured = {
			...{ snapshot, truncated, entity: schemas.briefOf(entity) },
			alternatives: report.alternatives.map(schemas.briefOf),
			edges: report.edges.map(schemas.edgeOf),
			entities: Object.values(report.entities).map(schemas.briefOf),
		};
		const lines = report.edges.map((edge) => edgeText(report.entities, edge));
		const head = headText(snapshot, entity, report.alternatives);
		return { text: [head, ...lines, ...(truncated ? [MORE] : [])].join("\n"), structured };
	},
});

export const lineageTool = readTool({
	name: "lineage",
	title: "Lineage of a data model or column",
	description:
		"What a data model, dataset or column derives from (up) and what derives from it (down), over any number of steps along DERIVES_FROM.",
	input: z.strictObject({
		entity: schemas.entityName,
		direction: z
			.enum(["up", "down", "both"])
			.default("both")
			.describe("up: what it is made of; down: what is made of it."),
		depth: schemas.count(20, 5, "Steps at most."),
		limit: schemas.count(200, 100, "Edges at most, up and down each."),
		source: schemas.source,
		at: schemas.at,
	}),
	output: z.object({
		snapshot: schemas.snapshot,
		entity: schemas.brief,
		alternatives,
		up: z.array(step),
		down: z.array(step),
		entities: touched,
		truncated: schemas.truncated,
	}),
	async run(reader, { entity: wanted, ...options }) {
		const report = await reader.lineage(wanted, options);
		const { snapshot, entity, truncated } = report;
		const steps = (edges: typeof report.up) => edges.map((one) => ({ ...schemas.edgeOf(one), depth: one.depth }));
		const structured = {
			...{ snapshot, truncated, entity: schemas.briefOf(entity) },
			alternatives: report.alternatives.map(schemas.briefOf),
			up: steps(report.up),
			down: steps(report.down),
			entities: Object.values(report.entities).map(schemas.briefOf),
		};
		const list = (title: string, edges: typeof report.up) =>
			edges.length === 0
				? [`${title}: nothing`]
				: [`${title}:`, ...edges.map((one) => `${one.depth} ${edgeText(report.entities, one)}`)];
		const lines = [
			headText(snapshot, entity, report.alternatives),
			...(options.direction === "down" ? [] : list("Derives from", report.up)),
			...(options.direction === "up" ? [] : list("Derived from it", report.down)),
		];
		return { text: [...lines, ...(truncated ? [MORE] : [])].join("\n"), structured };
	},
});
