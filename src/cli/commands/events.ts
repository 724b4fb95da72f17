import type { Command } from "commander";
import type { Cli } from "../cli.js";

interface ReplayOptions {
	readonly since?: string;
	readonly repository?: string;
	readonly all?: boolean;
}

/** Webhooks that came and had no effect: `events parked` and `events replay`. */
export function registerEvents(program: Command, cli: Cli): void {
	const events = program
		.command("events")
		.helpGroup("Keep in order:")
		.summary("webhooks that were parked, and trying them again")
		.description(
			"Webhooks that came, were written down, and were parked because they can have no effect as things are.",
		);
	const parked = events
		.command("parked")
		.summary("list parked webhooks with the reason")
		.description("Lists the webhooks that are parked, those that were parked first first. They are kept for 30 days.")
		.option("--since <time>", "only those parked since then (ISO 8601)")
		.addHelpText(
			"after",
			`
Examples:
  $ lode events parked
  $ lode events parked --since 2026-01-31T12:00:00Z --json

--json prints {parked: [{id, sender, event, repository, branch, commit, receivedAt, parkedAt, reason}], waiting, bytes}.`,
		);
	cli.action(parked, async (invocation, { since }: { since?: string }) => {
		const lode = await cli.dependencies.openEvents(await invocation.config());
		const report = await lode.parked({ since });
		await invocation.result(report, async () => (await import("../format.js")).parkedText(report));
	});

	const replay = events
		.command("replay")
		.summary("have parked webhooks dispatched again")
		.description(
			"Has parked webhooks wait again: all that are named and match. A running gateway dispatches them at once, else it does when it starts.",
		)
		.argument("[receipt...]", "see lode events parked")
		.option("--since <time>", "only those parked since then (ISO 8601)")
		.option("--repository <text>", "only those with this in an address of their repository")
		.option("--all", "all that are parked")
		.addHelpText(
			"after",
			`
Examples:
  $ lode events replay rcp-7 rcp-9
  $ lode events replay --repository git.example.com/shop --since 2026-01-31
  $ lode events replay --all

--json prints {replayed: [...], gateway}.`,
		);
	cli.action(replay, async (invocation, ids: string[], { since, repository, all }: ReplayOptions) => {
		const lode = await cli.dependencies.openEvents(await invocation.config());
		const report = await lode.replay({ ids, since, repository, all });
		await invocation.result(report, async () => (await import("../format.js")).replayText(report));
	});
}
