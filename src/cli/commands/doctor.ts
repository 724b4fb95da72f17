import type { Command } from "commander";
import type { Cli } from "../cli.js";

export function registerDoctor(program: Command, cli: Cli): void {
	const command = program
		.command("doctor")
		.helpGroup("Set up:")
		.summary("what is found, what is missing, how to mend it")
		.description("Checks everything that Lode needs, without fetching or starting anything.")
		.addHelpText(
			"after",
			"\nExample:\n  $ lode doctor --json\n\nExits with 1 when something has to be mended.\n--json prints {ok, checks: [{name, status: ok|warn|fail, found, mend}]}.",
		);
	cli.action(command, async (invocation) => {
		const { diagnose } = await import("../diagnosis.js");
		const checks = await diagnose(invocation);
		const ok = checks.every((check) => check.status !== "fail");
		await invocation.result({ ok, checks }, async () => {
			const { table } = await import("../format.js");
			const lines = [
				table(
					["check", "", "found"],
					checks.map(({ name, status, found }) => [name, status, found]),
				),
				"",
			];
			for (const { name, status, mend } of checks) {
				if (status !== "ok" && mend !== undefined) lines.push(`${name}: ${mend}`);
			}
			lines.push(ok ? "Everything that is needed is there." : "Mend what failed, then run lode doctor again.");
			return lines.join("\n");
		});
		if (!ok) invocation.exitCode = 1;
	});
}
