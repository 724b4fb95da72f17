import { z } from "zod";
import * as schemas from "../schemas.js";
import { readTool } from "../tool.js";

/** A little less than what an answer's text may have, so that its head fits too. */
const MAX_CHARACTERS = 50_000;

export const readFileTool = readTool({
	name: "read_file",
	title: "Read a file at a commit",
	description:
		"Lines of a file as it was in a snapshot, from Lode's archive: also of commits that the repository no longer has. Text of a hit is cut, this is not.",
	input: z.strictObject({
		path: schemas.path("The path as search gives it, from the root of the repository."),
		source: schemas.source,
		at: schemas.at,
		startLine: z.int().min(1).default(1).describe("The first line wanted."),
		maxLines: schemas.count(2_000, 400, "Lines at most."),
	}),
	output: z.object({
		snapshot: schemas.snapshot,
		source: z.string(),
		commit: z.string(),
		path: z.string(),
		artifact: z.string().describe("SHA-256 of the file's bytes."),
		size: z.int().describe("Bytes of the whole file."),
		mode: z.enum(["file", "executable", "symlink"]),
		language: z.string().nullable(),
		mediaType: z.string().nullable(),
		lines: z.int().describe("Lines of the whole file."),
		startLine: z.int(),
		endLine: z.int(),
		text: z.string().nullable().describe("Null where it is no text; skipped says why."),
		skipped: z.string().nullable(),
		truncated: schemas.truncated,
	}),
	async run(reader, { path, ...options }) {
		const file = await reader.file(path, { ...options, maxCharacters: MAX_CHARACTERS });
		const place = `${file.path} of ${file.source} at ${file.commit.slice(0, 10)} (snapshot ${file.snapshot})`;
		if (file.text === null) {
			return { text: `${place}: ${file.size} bytes, not shown: ${file.skipped}`, structured: file };
		}
		const more = file.truncated ? `\n… there is more: read on with startLine ${file.endLine + 1}` : "";
		const head = `${place}, lines ${file.startLine} to ${file.endLine} of ${file.lines}`;
		return { text: `${head}\n${file.text}${more}`, structured: file };
	},
});
