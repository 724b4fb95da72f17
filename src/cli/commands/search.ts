import { type Command, Option } from "commander";
import { LodeError } from "../../domain/errors.js";
import { CHUNK_KINDS, type ChunkKind } from "../../domain/mined-file.js";
import type { SearchQuery } from "../../services/reports.js";
import { groupingOf } from "../../services/search/group-hits.js";
import type { Cli } from "../cli.js";
import { assignment, listOf, wholeNumber } from "../parse.js";
import { registerSearchReplay } from "./search-replay.js";

interface SearchOptions {
	readonly source?: string;
	readonly group?: string;
	readonly kind?: ChunkKind[];
	readonly path?: string;
	readonly limit: number;
	readonly at?: string;
	readonly language?: string[];
	readonly since?: string;
	readonly until?: string;
	readonly model?: string;
	readonly like?: string;
	readonly groupBy?: "file" | "folder" | "custom";
	readonly rule?: (readonly [string, string])[];
	readonly context?: boolean;
	readonly provenance?: boolean;
}

/** Names separated by commas; the option may also be repeated. */
const names = (value: string, previous: string[] = []): string[] => [
	...previous,
	...value.split(",").flatMap((name) => name.trim() || []),
];

export function registerSearch(program: Command, cli: Cli): void {
	const command = program
		.command("search")
		.helpGroup("Ask:")
		.summary("search code, documents and data models")
		.description("Searches what is published, by words and by meaning. Exact symbol names come first.")
		.argument("[text...]", "what to look for")
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
		.addOption(
			new Option("--language <languages>", "only these languages, separated by commas, e.g. typescript,sql").argParser(
				names,
			),
		)
		.option("--since <when>", "only what came or changed after then: a snapshot number, a time or a commit")
		.option("--until <when>", "only what had come by then")
		.option("--model <model>", "only groups indexed with this embedding model")
		.option("--like <example>", "instead of a text: the id of a hit, a path, or an entity by key or name")
		.addOption(
			new Option("--group-by <what>", "put hits together: by file, by folder, or by rules (custom)").choices([
				"file",
				"folder",
				"custom",
			]),
		)
		.addOption(
			new Option("--rule <name=glob>", "a rule of --group-by custom, in order; may be repeated").argParser(assignment),
		)
		.option("--context", "with the entity that each hit is of, and its neighbours")
		.option("--provenance", "with where each hit comes from: file, commit, ingestion, workflow, model")
		.addHelpText(
			"after",
			`
Examples:
  $ lode search "retry after a timeout"
  $ lode search parseConfig --kind function,method --path 'src/**'
  $ lode search "order status" --at 2026-03-01T00:00:00Z --json

  $ lode search --like src/config.ts --language typescript
  $ lode search "connection pool" --since 2026-03-01 --group-by custom --rule "tests=test/**" --rule "code=src/**"

--json prints {snapshot, model, tookMs, hits: [{source, commit, path, startLine, endLine, kind, symbol, score, text, id, group, ordinal, language, model,
certainty, highlights: [{start, end}]}]}, where asked for groups: [{key, source, score, hits}] and in each hit context and provenance.`,
		);
	// `help` is a word to look for like any other.
	command.helpCommand(false);
	registerSearchReplay(command, cli);
	cli.action(command, async (invocation, text: string[], options: SearchOptions) => {
		const { kind: kinds, language: languages, groupBy, rule, ...others } = options;
		if (text.length === 0 && options.like === undefined) {
			throw new LodeError("USAGE", "there is nothing to look for", { next: "See lode search --help" });
		}
		const query: SearchQuery = {
			...others,
			kinds,
			languages,
			text: text.join(" "),
			grouping: groupingOf(groupBy, rule),
		};
		const report = await invocation.withReader((reader) => reader.search(query));
		await invocation.result(report, async () => (await import("../format.js")).searchText(report, invocation.width));
	});
}
