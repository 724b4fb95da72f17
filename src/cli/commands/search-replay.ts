import { type Command, Option } from "commander";
import type { Cli } from "../cli.js";
import { wholeNumber } from "../parse.js";

interface ReplayOptions {
	readonly since?: string;
	readonly at?: string;
	readonly model?: string;
	readonly limit: number;
}

/** `lode search replay`: searches that were made, made again. */
export function registerSearchReplay(search: Command, cli: Cli): void {
	const command = search
		.command("replay")
		.summary("run logged searches again and see what changed")
		.description(
			"Runs searches of the event log against another snapshot or model, and says how the answers differ. Logs nothing itself.",
		)
		.option("--since <time>", "searches received since then (ISO 8601); default: of the last seven days")
		.option("--at <when>", "against that snapshot number, time (ISO 8601) or commit; default: the newest")
		.option("--model <model>", "only groups indexed with this embedding model")
		.addOption(new Option("--limit <n>", "the newest so many searches").argParser(wholeNumber(1, 1_000)).default(1_000))
		.addHelpText(
			"after",
			`
Examples:
  $ lode search replay --since 2026-03-01
  $ lode search replay --at 12 --json

--json prints {since, replayed, changed, overlap, correlation, fileOverlap, leftOut: {withoutText, withoutAnswer, older}, failed, searches: [{search,
receivedAt, text, before, after, overlap, correlation, files, gained, lost}]}.`,
		);
	cli.action(command, async (invocation, own: ReplayOptions) => {
		// Options of these names that stand behind this command are read by the one above it, which has them too.
		const given = <K extends keyof ReplayOptions>(name: K): ReplayOptions[K] =>
			search.getOptionValueSource(name) === "cli" ? (search.getOptionValue(name) as ReplayOptions[K]) : own[name];
		const [since, at, model, limit] = [given("since"), given("at"), given("model"), given("limit")];
		const report = await invocation.withReader((reader) => reader.replaySearches({ since, at, model, limit }));
		await invocation.result(report, async () => (await import("../format-replay.js")).searchReplayText(report));
	});
}
