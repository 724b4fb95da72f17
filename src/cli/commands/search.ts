import { type Command, Option } from "commander";
import { CHUNK_KINDS, type ChunkKind } from "../../domain/mined-file.js";
import type { Cli } from "../cli.js";
import { listOf, wholeNumber } from "../parse.js";

interface SearchOptions {
	readonly source?: string;
	readonly group?: string;
	readonly kind?: ChunkKind[];
	readonly path?: string;
	readonly limit: number;
	readonly at?: string;
}

export function registerSearch(program: Command, cli: Cli): void {
	const command = program
		.command("search")
		.helpGroup("Ask:")
		.summary("search code, documents and data models")
		.description("Searches what is published, by words and by meaning. Exact symbol names come first.")
		.argument("<text...>", "what to look for")
		.option("--source <source>", "only this source (see lode sources)")
		.option("--group <group>", "only this group")
		.addOption(
			new Option(
				"--kind <kinds>",
				`only these kinds of text, separated by commas: ${CHUNK_KINDS.join(", ")}`,
			).argParser(listOf(CHUNK_KINDS)),
		)
		.option("--path <glob>", "only paths that match, e.g. 'src/**/*.ts'")
		.addOption(new Option("--limit <n>", "how many hits at most").argParser(wholeNumber(1, 1_000)).default(10))
		.option("--at <when>", "as of a snapshot number, a time (ISO 8601) or a commit")
		.addHelpText(
			"after",
			`
Examples:
  $ lode search "retry after a timeout"
  $ lode search parseConfig --kind function,method --path 'src/**'
  $ lode search "order status" --at 2026-03-01T00:00:00Z --json

--json prints {snapshot, model, tookMs, hits: [{source, commit, path, startLine, endLine, kind, symbol, score, text}]}.`,
		);
	cli.action(command, async (invocation, text: string[], options: SearchOptions) => {
		const { source, group, kind: kinds, path, limit, at } = options;
		const query = { text: text.join(" "), source, group, kinds, path, limit, at };
		const report = await invocation.withReader((reader) => reader.search(query));
		await invocation.result(report, async () => (await import("../format.js")).searchText(report, invocation.width));
	});
}
