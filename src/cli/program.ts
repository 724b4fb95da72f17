import { Command, Option } from "commander";
import { Cli, type CliDependencies } from "./cli.js";
import { registerCheck } from "./commands/check.js";
import { registerConfig } from "./commands/config.js";
import { registerDev } from "./commands/dev.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerEvents } from "./commands/events.js";
import { registerExitCodes } from "./commands/exit-codes.js";
import { registerGraph } from "./commands/graph.js";
import { registerGroup } from "./commands/group.js";
import { registerIngest } from "./commands/ingest.js";
import { registerInit } from "./commands/init.js";
import { registerKey } from "./commands/key.js";
import { registerMcp } from "./commands/mcp.js";
import { registerMigrate } from "./commands/migrate.js";
import { registerOverview } from "./commands/overview.js";
import { registerRebuild } from "./commands/rebuild.js";
import { registerSearch } from "./commands/search.js";
import { registerSteer } from "./commands/steer.js";
import { assignment } from "./parse.js";

const EPILOGUE = `
Examples:
  $ lode ingest .                        ingest this repository's head
  $ lode search "parse configuration"    search it
  $ lode graph show loadConfig           what it calls and who calls it
  $ lode dev                             keep Temporal and a worker running

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found, 4 not available now, 5 damaged data,
130 stopped. Details: lode help exit-codes`;

/** The command line, with nothing run yet. Commands load what they need when they run, so that help stays fast. */
export function createProgram(dependencies: CliDependencies, version: string): { program: Command; cli: Cli } {
	const { io } = dependencies;
	const cli = new Cli(dependencies);
	const program = new Command("lode");
	program
		.description(
			"Turns every commit of a repository into a searchable snapshot: knowledge graph, artifacts and embeddings.",
		)
		.version(version, "-V, --version", "print the version")
		.exitOverride()
		.configureHelp({ showGlobalOptions: true })
		.configureOutput({
			writeOut: (text) => void io.stdout.write(text),
			writeErr: () => undefined,
			getOutHelpWidth: () => io.stdout.columns ?? 100,
			getErrHelpWidth: () => io.stderr.columns ?? 100,
			getOutHasColors: () => false,
			getErrHasColors: () => false,
			// run.ts prints errors, in the same form as all others.
			outputError: () => undefined,
		})
		.option("--json", "print one JSON object on standard output, errors as JSON on standard error")
		.option("--home <dir>", "folder of all data (LODE_HOME)")
		.option("--temporal-address <host:port>", "use this Temporal server (TEMPORAL_ADDRESS)")
		.option("--temporal-namespace <name>", "(TEMPORAL_NAMESPACE)")
		.option("--embedding-provider <name>", "lexical, openai or local (LODE_EMBEDDING_PROVIDER)")
		.option("--embedding-base-url <url>", "OpenAI-compatible endpoint (LODE_EMBEDDING_BASE_URL)")
		.option("--embedding-model <name>", "(LODE_EMBEDDING_MODEL)")
		.option("--log-level <level>", "debug, info, warn or error (LODE_LOG_LEVEL)")
		.addOption(new Option("--set <KEY=VALUE>", "any other setting, for this command only").argParser(assignment))
		.addHelpText("after", EPILOGUE);
	registerIngest(program, cli);
	registerSteer(program, cli);
	registerGroup(program, cli);
	registerSearch(program, cli);
	registerGraph(program, cli);
	registerOverview(program, cli);
	registerMcp(program, cli);
	registerCheck(program, cli);
	registerEvents(program, cli);
	registerKey(program, cli);
	registerRebuild(program, cli);
	registerInit(program, cli);
	registerDev(program, cli);
	registerConfig(program, cli);
	registerDoctor(program, cli);
	registerMigrate(program, cli);
	registerExitCodes(program, cli);
	return { program, cli };
}
