import type { Command } from "commander";
import type { Cli } from "../cli.js";

/** What is there and what is going on: `sources` and `status`. */
export function registerOverview(program: Command, cli: Cli): void {
	const sources = program
		.command("sources")
		.helpGroup("Ask:")
		.summary("what is followed, and how much of it there is")
		.description(
			"Lists the sources with their published commit, how far that is behind the repository, and the size of what is visible.",
		)
		.option("--no-lag", "do not ask the repositories for their heads")
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode sources\n  $ lode sources --no-lag --json\n\n--json prints {sources: [...]}.",
		);
	cli.action(sources, async (invocation, { lag }: { lag: boolean }) => {
		const list = await invocation.withReader((reader) => reader.sources({ lag }));
		await invocation.result({ sources: list }, async () => (await import("../format.js")).sourcesText(list));
	});

	const status = program
		.command("status")
		.helpGroup("Ask:")
		.summary("ingestions: running, parked, done")
		.description("Shows the latest ingestions and every parked one, or one ingestion.")
		.argument("[ingestion]")
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode status\n  $ lode status ing-12 --json\n\n--json prints {ingestions, parked, temporalUi}.",
		);
	cli.action(status, async (invocation, ingestion: string | undefined) => {
		const report = await invocation.withReader(async (reader, config) => {
			const found = await reader.status(ingestion);
			const running = await cli.dependencies.runningRuntime(config.home);
			return { ...found, temporalUi: found.temporalUi ?? running?.uiAddress ?? null };
		});
		await invocation.result(report, async () => (await import("../format.js")).statusText(report));
	});
}
