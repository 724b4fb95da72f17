import type { Command } from "commander";
import type { Cli } from "../cli.js";
import { Interrupts } from "../interrupts.js";

export function registerDev(program: Command, cli: Cli): void {
	const command = program
		.command("dev")
		.helpGroup("Set up:")
		.summary("keep Temporal, a worker and the API running")
		.description(
			"Runs Temporal, a worker and the HTTP API until Ctrl-C: restarts them when they die, stops them in order. Other commands use them while they run.",
		)
		.option("--no-api", "without the HTTP API")
		.addHelpText(
			"after",
			"\nExample:\n  $ lode dev\n\n--json prints {address, uiAddress, apiUrl, home, pid} once it is ready.",
		);
	cli.action(command, async (invocation, options: { api: boolean }) => {
		const config = await invocation.config();
		const interrupts = new Interrupts(invocation.io.signals);
		try {
			await cli.dependencies.withRuntime(
				config,
				invocation.note,
				async ({ address, uiAddress, owned, pid }) => {
					const { signal } = interrupts;
					// Another program may have its port: what else runs here is of use without it.
					const api =
						owned && options.api
							? await cli.dependencies
									.startApi(config, { address, explorer: true, signal }, invocation.note)
									.catch((error: unknown) => {
										invocation.note(`The API does not run: ${(error as Error).message}`);
										return undefined;
									})
							: undefined;
					const apiUrl = api?.url ?? null;
					await invocation.result({ address, uiAddress, apiUrl, home: config.home, pid }, () =>
						[
							owned ? "Lode is ready." : `Lode runs already (process ${pid}).`,
							`  Temporal         ${address}`,
							...(uiAddress === null ? [] : [`  Temporal Web UI  ${uiAddress}`]),
							...(apiUrl === null
								? []
								: [
										`  GraphQL          ${apiUrl}/graphql   (to try it: ${apiUrl}/graphql/explorer)`,
										`  REST             ${apiUrl}/api/v1   (to read about it: ${apiUrl}/api/v1/docs)`,
									]),
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
					await api?.stop();
				},
				{ owner: "dev", join: false, signal: interrupts.signal, force: interrupts.force },
			);
		} finally {
			interrupts.dispose();
		}
	});
}
