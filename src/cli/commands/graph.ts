import { type Command, Option } from "commander";
import type { Cli } from "../cli.js";
import { wholeNumber } from "../parse.js";

interface GraphOptions {
	readonly depth: number;
	readonly at?: string;
	readonly source?: string;
	readonly limit: number;
}

export function registerGraph(program: Command, cli: Cli): void {
	const graph = program
		.command("graph")
		.helpGroup("Ask:")
		.summary("walk the knowledge graph")
		.description("Walks the knowledge graph.");
	const command = graph
		.command("show")
		.summary("an entity and what it is connected to")
		.description("Shows an entity, by its key or name, and the edges around it.")
		.argument("<key|name>", "e.g. customers, Client.send, symbol:shop-…:src/a.ts#parse")
		.addOption(new Option("--depth <n>", "how many steps away").argParser(wholeNumber(0, 6)).default(1))
		.option("--source <source>", "only this source")
		.addOption(new Option("--limit <n>", "how many edges at most").argParser(wholeNumber(1, 10_000)).default(100))
		.option("--at <when>", "as of a snapshot number, a time (ISO 8601) or a commit")
		.addHelpText(
			"after",
			`
Examples:
  $ lode graph show customers --depth 2
  $ lode graph show isVisible --json

--json prints {snapshot, entity, alternatives, edges: [{from, kind, to, via, depth}], entities, truncated}.`,
		);
	cli.action(command, async (invocation, name: string, { depth, at, source, limit }: GraphOptions) => {
		const report = await invocation.withReader((reader) => reader.graph(name, { depth, at, source, limit }));
		await invocation.result(report, async () => (await import("../format.js")).graphText(report));
	});
}
