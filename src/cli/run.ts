import { CommanderError } from "commander";
import { LodeError } from "../domain/errors.js";
import type { CliDependencies } from "./cli.js";
import { writeError } from "./io.js";
import { createProgram } from "./program.js";

/** Runs one command line (without node and script). Never throws; the answer is the exit code. */
export async function run(argv: readonly string[], dependencies: CliDependencies, version: string): Promise<number> {
	const { io } = dependencies;
	const { program, cli } = createProgram(dependencies, version);
	// The parser fails before options are known: the errors of the parser itself have to be JSON too.
	const end = argv.indexOf("--");
	const json = (end === -1 ? argv : argv.slice(0, end)).includes("--json");
	try {
		if (argv.length === 0) {
			program.outputHelp();
			return 0;
		}
		await program.parseAsync(argv, { from: "user" });
		return cli.exitCode;
	} catch (error) {
		if (!(error instanceof CommanderError)) return writeError(io, error, json);
		if (error.exitCode === 0) return 0;
		const name = program.commands
			.find((command) => command.name() === argv.find((word) => !word.startsWith("-")))
			?.name();
		const help = name === undefined ? "lode --help" : `lode ${name} --help`;
		const message =
			error.code === "commander.help"
				? "a command is missing"
				: error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
		return writeError(io, new LodeError("USAGE", message, { next: `See ${help}` }), json);
	}
}
