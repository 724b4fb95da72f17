import { type Command, Option } from "commander";
import type { Cli } from "../cli.js";
import { Interrupts } from "../interrupts.js";
import { wholeNumber } from "../parse.js";

const DEFAULT_PORT = 8_482;

export function registerMcp(program: Command, cli: Cli): void {
	const command = program
		.command("mcp")
		.helpGroup("Ask:")
		.summary("answer AI agents (Model Context Protocol)")
		.description(
			"Speaks MCP on standard input and output, for a client that starts it, until the client ends. Reads only; nothing has to run beside it.",
		)
		.option("--http", "speak it over HTTP on 127.0.0.1 instead, until Ctrl-C")
		.addOption(
			new Option("--port <n>", `the port, with --http; 0: any free one (default: ${DEFAULT_PORT})`)
				.argParser(wholeNumber(0, 65_535))
				.implies({ http: true }),
		)
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode mcp\n  $ lode mcp --http --port 9000\n\n--json prints {url, pid} once it listens, with --http.",
		);
	cli.action(command, async (invocation, { http, port = DEFAULT_PORT }: { http?: boolean; port?: number }) => {
		const interrupts = new Interrupts(invocation.io.signals);
		const version = program.version() ?? "";
		try {
			const mcp = await cli.dependencies.mcp();
			const serving = { version, report: invocation.note };
			if (!http) {
				await invocation.withReader((reader) => mcp.stdio({ reader, ...serving }, interrupts.signal));
				return;
			}
			const config = await invocation.config();
			const { Metrics } = await import("../../observability/metrics/metrics.js");
			const metrics = new Metrics();
			const opened = await cli.dependencies.openServices(config, metrics);
			try {
				const { requestsPerMinute } = config.api;
				const server = await mcp.http({ opened, requestsPerMinute, port, metrics, ...serving });
				await invocation.result({ url: server.url, pid: process.pid }, () => `Lode answers MCP at ${server.url}`);
				await interrupts.interrupted;
				await server.close();
			} finally {
				await opened.close();
			}
		} finally {
			interrupts.dispose();
		}
	});
}
