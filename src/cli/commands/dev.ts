import type { Command } from "commander";
import type { Cli } from "../cli.js";
import { Interrupts } from "../interrupts.js";

export function registerDev(program: Command, cli: Cli): void {
	const command = program
		.command("dev")
		.helpGroup("Set up:")
		.summary("keep Temporal and a worker running")
		.description(
			"Runs Temporal and a worker until Ctrl-C: restarts them when they die, stops them in order. Other commands use them while they run.",
		)
		.addHelpText(
			"after",
			"\nExample:\n  $ lode dev\n\n--json prints {address, uiAddress, home, pid} once it is ready.",
		);
	cli.action(command, async (invocation) => {
		const config = await invocation.config();
		const interrupts = new Interrupts(invocation.io.signals);
		try {
			await cli.dependencies.withRuntime(
				config,
				invocation.note,
				async ({ address, uiAddress, owned, pid }) => {
					await invocation.result({ address, uiAddress, home: config.home, pid }, () =>
						[
							owned ? "Lode is ready." : `Lode runs already (process ${pid}).`,
							`  Temporal         ${address}`,
							...(uiAddress === null ? [] : [`  Temporal Web UI  ${uiAddress}`]),
							`  home             ${config.home}`,
							...(owned ? ["  stop             Ctrl-C"] : []),
						].join("\n"),
					);
					if (!owned) return;
					await cli.dependencies.keepSchedules(config, { address }).catch((error: unknown) => {
						invocation.note(`Sources are not compared with their repositories: ${(error as Error).message}`);
					});
					// Its children and the channel to them keep the process alive; the timer does where there is neither.
					const alive = setInterval(() => undefined, 60_000);
					await interrupts.interrupted;
					clearInterval(alive);
					invocation.note("Stopping …");
				},
				{ owner: "dev", join: false, signal: interrupts.signal, force: interrupts.force },
			);
		} finally {
			interrupts.dispose();
		}
	});
}
