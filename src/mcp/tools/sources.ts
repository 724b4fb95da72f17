import { z } from "zod";
import * as schemas from "../schemas.js";
import { readTool } from "../tool.js";

const MAX_SOURCES = 200;

export const listSourcesTool = readTool({
	name: "list_sources",
	title: "List the sources",
	description:
		"The repositories and folders that Lode follows, with the commit that is published of each and how much there is. Start here to learn what can be asked about.",
	input: z.strictObject({}),
	output: z.object({
		sources: z.array(
			z.object({
				id: z.string(),
				kind: z.enum(["git", "folder", "lakefs"]),
				address: z.string(),
				branch: z.string(),
				commit: z.string().nullable().describe("Null while nothing of it is published."),
				snapshot: z.int().nullable().describe("The snapshot that published this commit."),
				publishedAt: z.string().nullable(),
				model: z.string().describe("Its embedding model."),
				files: z.int(),
				entities: z.int().describe("Entity states in the graph."),
				chunks: z.int(),
			}),
		),
		truncated: schemas.truncated,
	}),
	async run(reader) {
		const all = await reader.sources();
		const sources = all.slice(0, MAX_SOURCES).map((one) => ({
			...{ id: one.id, kind: one.kind, address: one.address, branch: one.branch, commit: one.commit },
			...{ snapshot: one.snapshot, publishedAt: one.publishedAt, model: one.model },
			...{ files: one.files, entities: one.entities, chunks: one.chunks },
		}));
		const lines = sources.map((one) => {
			const published =
				one.commit === null ? "nothing published yet" : `at ${one.commit.slice(0, 10)}, snapshot ${one.snapshot}`;
			return `${one.id}: ${one.kind} ${one.address}${one.branch === "" ? "" : ` (${one.branch})`}, ${published}, ${one.files} files, ${one.chunks} chunks`;
		});
		const text = lines.length === 0 ? "Nothing is ingested yet." : lines.join("\n");
		return { text, structured: { sources, truncated: all.length > MAX_SOURCES } };
	},
});
