import { z } from "zod";
import { CHUNK_KINDS } from "../../domain/mined-file.js";
import * as schemas from "../schemas.js";
import { readTool } from "../tool.js";

const MAX_HIT = 3_000;

const hit = z.object({
	source: z.string(),
	commit: z.string(),
	path: z.string(),
	startLine: z.int(),
	endLine: z.int(),
	kind: z.enum(CHUNK_KINDS),
	symbol: z.string().nullable(),
	score: z.number().describe("0 to 1, comparable within this answer only."),
	text: z.string(),
	annotations: z.record(z.string(), z.unknown()).optional().describe("What plugins say of it, by their names."),
	truncated: z.boolean().describe("The text was cut: read_file has all of it."),
});

export const searchTool = readTool({
	name: "search",
	title: "Search code, documents and data models",
	description:
		"Finds pieces of files by words and by meaning; the exact name of a symbol comes first. Answers from one snapshot, with paths and line numbers to read on with read_file.",
	input: z.strictObject({
		query: schemas.words.describe("What to look for: words, a question, or a symbol's name."),
		source: schemas.source,
		group: z.string().trim().min(1).max(200).optional().describe("Only this semantic group."),
		kinds: z.array(z.enum(CHUNK_KINDS)).min(1).max(CHUNK_KINDS.length).optional().describe("Only these kinds of text."),
		path: schemas.path("Only paths that match this glob, e.g. src/**/*.ts.").optional(),
		limit: schemas.count(50, 10, "Hits at most."),
		at: schemas.at,
	}),
	output: z.object({
		snapshot: schemas.snapshot,
		model: z.string().describe("The embedding model that ranked; empty where text alone did."),
		hits: z.array(hit),
		pluginProblems: z.array(z.string()).optional().describe("Plugins that failed and were left out."),
	}),
	async run(reader, { query: text, ...query }) {
		const report = await reader.search({ text, ...query });
		const hits = report.hits.slice(0, query.limit).map((found) => ({
			source: found.source,
			commit: found.commit,
			path: found.path,
			startLine: found.startLine,
			endLine: found.endLine,
			kind: found.kind,
			symbol: found.symbol,
			score: found.score,
			text: found.text.slice(0, MAX_HIT),
			...(found.annotations !== undefined && { annotations: found.annotations }),
			truncated: found.text.length > MAX_HIT,
		}));
		const lines = hits.map((one, at) => {
			const symbol = one.symbol === null ? "" : ` ${one.symbol}`;
			const place = `${one.path}:${one.startLine}-${one.endLine}`;
			const more = one.truncated ? "\n… cut, read_file has the rest" : "";
			return `${at + 1}. ${place} (${one.kind}${symbol}, score ${one.score.toFixed(3)}, ${one.source} at ${one.commit.slice(0, 10)})\n${one.text}${more}`;
		});
		const { snapshot, model, pluginProblems } = report;
		const about = { snapshot, model, ...(pluginProblems !== undefined && { pluginProblems: [...pluginProblems] }) };
		const head = `${hits.length} hits in snapshot ${snapshot}`;
		return { text: [head, ...lines].join("\n\n"), structured: { ...about, hits } };
	},
});
