import type { Command } from "commander";
import { ERROR_CODES } from "../../domain/errors.js";
import type { Cli } from "../cli.js";

const MEANINGS: Readonly<Record<number, string>> = {
	0: "done",
	1: "it failed, or a check of `doctor` did",
	2: "the command line or the configuration is wrong",
	3: "what was named does not exist",
	4: "something that is needed cannot be used now",
	5: "stored data is damaged",
	130: "stopped by Ctrl-C or a signal",
};

/** Every exit code, with the error codes that end with it. */
export function exitCodes(): { exit: number; meaning: string; codes: string[] }[] {
	return Object.entries(MEANINGS).map(([exit, meaning]) => ({
		exit: Number(exit),
		meaning,
		codes: Object.entries(ERROR_CODES)
			.filter(([, code]) => code.exit === Number(exit))
			.map(([name]) => name),
	}));
}

export function exitCodesText(): string {
	return exitCodes()
		.map(({ exit, meaning, codes }) => {
			const lines: string[] = [];
			for (const code of codes) {
				const last = lines.at(-1);
				if (last === undefined) lines.push(`       ${code}`);
				else if (last.length + code.length > 90) lines.splice(-1, 1, `${last},`, `       ${code}`);
				else lines[lines.length - 1] = `${last}, ${code}`;
			}
			return [`  ${String(exit).padStart(3)}  ${meaning}`, ...lines].join("\n");
		})
		.join("\n");
}

export function registerExitCodes(program: Command, cli: Cli): void {
	const command = program
		.command("exit-codes")
		.helpGroup("Set up:")
		.summary("what the exit codes mean")
		.description("Prints the exit codes and the error codes that end with them. Both are stable.")
		.addHelpText("after", () => `\n${exitCodesText()}`);
	cli.action(command, async (invocation) => {
		await invocation.result({ exitCodes: exitCodes() }, exitCodesText);
	});
}
