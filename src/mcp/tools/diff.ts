import { z } from "zod";
import { ENTITY_KINDS } from "../../domain/entities.js";
import type { DiffReport } from "../../services/reports.js";
import * as schemas from "../schemas.js";
import { readTool } from "../tool.js";

const LISTS = ["added", "removed", "changed"] as const;
const MARKS = { added: "+", removed: "-", changed: "~" };
const changes = z.array(schemas.brief);
const when = z.string().trim().min(1).max(100);

export const diffTool = readTool({
	name: "diff",
	title: "What changed between two states of a source",
	description:
		"Entities that were added, removed or changed between two commits, times or snapshots of one source: files, symbols, data models, columns, documents and so on.",
	input: z.strictObject({
		source: z
			.string()
			.trim()
			.min(1)
			.max(1_000)
			.describe("The source: its id, a unique beginning of it, or its address."),
		from: when.describe("The earlier state: a snapshot number, an ISO 8601 time, or a commit id."),
		to: when.describe("The later state, in the same forms; latest: the latest snapshot.").default("latest"),
		kinds: z
			.array(z.enum(ENTITY_KINDS))
			.min(1)
			.max(ENTITY_KINDS.length)
			.optional()
			.describe("Only these kinds of entities."),
		limit: schemas.count(500, 100, "Entities at most in each list."),
	}),
	output: z.object({
		source: z.string(),
		from: z.string().describe("The commit."),
		to: z.string().describe("The commit."),
		counts: z.object({ added: z.int(), removed: z.int(), changed: z.int() }),
		added: changes,
		removed: changes,
		changed: changes,
		truncated: schemas.truncated,
	}),
	async run(reader, { source, from, to, kinds, limit }) {
		const report = await reader.diff(source, from, to);
		const wanted = (list: DiffReport["added"]) =>
			list.filter(({ kind }) => kinds === undefined || kinds.includes(kind));
		const all = { added: wanted(report.added), removed: wanted(report.removed), changed: wanted(report.changed) };
		const shown = (list: DiffReport["added"]) =>
			list.slice(0, limit).map(({ key, kind, name }) => ({ key, kind, name }));
		const structured = {
			...{ source: report.source, from: report.from, to: report.to },
			counts: { added: all.added.length, removed: all.removed.length, changed: all.changed.length },
			...{ added: shown(all.added), removed: shown(all.removed), changed: shown(all.changed) },
			truncated: LISTS.some((name) => all[name].length > limit),
		};
		const lines = LISTS.flatMap((name) =>
			structured[name].map((one) => `${MARKS[name]} ${one.kind} ${one.name} (${one.key})`),
		);
		const { added, removed, changed } = structured.counts;
		const head = `${report.source} from ${report.from} to ${report.to}: ${added} added, ${removed} removed, ${changed} changed`;
		return {
			text: [head, ...lines, ...(structured.truncated ? ["… cut: name kinds or raise the limit."] : [])].join("\n"),
			structured,
		};
	},
});
